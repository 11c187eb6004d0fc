/**
 * Shows a fragment of HTML that another program wrote: text, line breaks, emphasis and lists, and nothing else. A web link
 * looks like one and leads nowhere: what is shown is an example. It builds React elements from a parsed copy, so that no
 * markup is ever written into the page.
 */
import { Fragment, type ReactElement, type ReactNode } from "react";

const PLAIN_TAGS = new Set(["b", "strong", "i", "em", "u", "p", "ul", "ol", "li"]);

/** Shows `html`. */
export function SafeHtml({ html }: { readonly html: string }): ReactElement {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return <>{childrenOf(parsed.body)}</>;
}

function childrenOf(node: Node): ReactNode[] {
  return Array.from(node.childNodes, (child, index) => <Fragment key={index}>{elementOf(child)}</Fragment>);
}

function elementOf(node: Node): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element)) return null;
  const tag = node.tagName.toLowerCase();
  if (tag === "script" || tag === "style") return null;
  if (tag === "br") return <br />;
  if (tag === "a") return linkOf(node);
  if (!PLAIN_TAGS.has(tag)) return childrenOf(node);
  const Tag = tag as "b";
  return <Tag>{childrenOf(node)}</Tag>;
}

function linkOf(node: Element): ReactNode {
  const href = node.getAttribute("href") ?? "";
  if (!/^https?:\/\//i.test(href)) return childrenOf(node);
  return <span className="cc-link cc-link-inert">{childrenOf(node)}</span>;
}
