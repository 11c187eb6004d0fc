import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactElement, type ReactNode } from "react";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { ChevronDownIcon } from "../ui/icons";
import { useDestinations, type SettingsDestination } from "./destinations";

/** What the layout is drawn from. */
export interface SettingsLayoutProps {
  /** The path that the host shows at the moment; the layout stays mounted while it changes. */
  readonly currentPath: string;
  /** The pages of the sidebar. Default: profile, organisation, integrations, security. */
  readonly destinations?: readonly SettingsDestination[];
  /** The page. */
  readonly children: ReactNode;
}

/** The frame of `/settings`: the sidebar, which is a menu on a narrow screen, and the page beside it. */
export function SettingsLayout({ currentPath, destinations, children }: SettingsLayoutProps): ReactElement {
  const { t } = useHost();
  const listed = useDestinations(destinations);
  const [openedAt, setOpenedAt] = useState<string | null>(null);
  const toggle = useRef<HTMLButtonElement>(null);
  const navigation = useRef<HTMLElement>(null);
  const page = useRef<HTMLDivElement>(null);
  const shownPath = useRef(currentPath);
  const listId = useId();
  // The menu belongs to the page that it was opened on: going elsewhere closes it.
  const isOpen = openedAt === currentPath;
  const current = listed.find((destination) => isWithin(currentPath, destination.path));

  useEffect(() => {
    if (shownPath.current === currentPath) return;
    shownPath.current = currentPath;
    // The link that led here may have left with its page.
    if (document.activeElement !== document.body) return;
    (page.current?.querySelector<HTMLElement>("h1[tabindex]") ?? page.current)?.focus();
  }, [currentPath]);

  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: PointerEvent) => {
      if (event.target instanceof Node && !navigation.current?.contains(event.target)) setOpenedAt(null);
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, [isOpen]);

  /** Closes the menu; what had focus goes out of sight with it. */
  const close = () => {
    if (!isOpen) return;
    setOpenedAt(null);
    toggle.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
  };

  return (
    <div className="cassius-calendar cc-settings">
      <nav className="cc-nav" aria-label={t("settings.title")} ref={navigation} onKeyDown={onKeyDown}>
        <p className="cc-nav-title">{t("settings.title")}</p>
        <button
          type="button"
          className="cc-nav-toggle"
          ref={toggle}
          aria-expanded={isOpen}
          aria-controls={listId}
          onClick={() => setOpenedAt(isOpen ? null : currentPath)}
        >
          <span className="cc-hidden">{t("settings.menuOf")} </span>
          {current?.icon}
          <span className="cc-nav-toggle-label">{current?.label ?? t("settings.title")}</span>
          <ChevronDownIcon />
        </button>
        <ul id={listId} className="cc-nav-list" data-open={isOpen} onClick={close}>
          {listed.map((destination) => (
            <li key={destination.path}>
              <HostLink
                href={destination.path}
                className="cc-nav-link"
                aria-current={ariaCurrent(currentPath, destination.path)}
              >
                {destination.icon}
                <span>{destination.label}</span>
              </HostLink>
            </li>
          ))}
        </ul>
      </nav>
      <div className="cc-settings-page" ref={page} tabIndex={-1}>
        {children}
      </div>
    </div>
  );
}

function isWithin(currentPath: string, path: string): boolean {
  return currentPath === path || currentPath.startsWith(`${path}/`);
}

function ariaCurrent(currentPath: string, path: string): "page" | "true" | undefined {
  if (currentPath === path) return "page";
  return isWithin(currentPath, path) ? "true" : undefined;
}
