/**
 * Shows a fragment of HTML that another program wrote: text, line breaks, emphasis, lists and web links, and nothing
 * else. It builds React elements from a parsed copy, so that no markup is ever written into the page.
 */
import { Fragment, type ReactElement, type ReactNode } from "react";

const PLAIN_TAGS = new Set(["b", "strong", "i", "em", "u", "p", "ul", "ol", "li"]);

/** Shows `html`; `newTab` says beside each link that it opens another tab. */
export function SafeHtml({ html, newTab }: { readonly html: string; readonly newTab: string }): ReactElement {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return <>{childrenOf(parsed.body, newTab)}</>;
}

function childrenOf(node: Node, newTab: string): ReactNode[] {
  return Array.from(node.childNodes, (child, index) => <Fragment key={index}>{elementOf(child, newTab)}</Fragment>);
}

function elementOf(node: Node, newTab: string): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element)) return null;
  const tag = node.tagName.toLowerCase();
  if (tag === "script" || tag === "style") return null;
  if (tag === "br") return <br />;
  if (tag === "a") return linkOf(node, newTab);
  if (!PLAIN_TAGS.has(tag)) return childrenOf(node, newTab);
  const Tag = tag as "b";
  return <Tag>{childrenOf(node, newTab)}</Tag>;
}

function linkOf(node: Element, newTab: string): ReactNode {
  const href = node.getAttribute("href") ?? "";
  if (!/^https?:\/\//i.test(href)) return childrenOf(node, newTab);
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className="cc-link">
      {childrenOf(node, newTab)} <span className="cc-hidden">({newTab})</span>
    </a>
  );
}
