/** The icons: drawn here, 20 × 20, in the text's colour, and always decoration beside words. */
import type { ReactElement, ReactNode } from "react";

function Icon({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <svg
      className="cc-icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const PersonIcon = () => (
  <Icon>
    <circle cx="10" cy="6.5" r="3.25" />
    <path d="M3.75 16.75c.6-3.2 3-5 6.25-5s5.65 1.8 6.25 5" />
  </Icon>
);

export const BuildingIcon = () => (
  <Icon>
    <path d="M4.25 17V4.5c0-.7.55-1.25 1.25-1.25h5.75c.7 0 1.25.55 1.25 1.25V17M12.5 8.5h2c.7 0 1.25.55 1.25 1.25V17M2.75 17h14.5M7 6.75h2.75M7 10h2.75M7 13.25h2.75" />
  </Icon>
);

export const PlugIcon = () => (
  <Icon>
    <path d="M7 2.75V6.5M13 2.75V6.5M4.75 6.5h10.5v2.75a5.25 5.25 0 0 1-10.5 0V6.5ZM10 14.5v2.75" />
  </Icon>
);

export const ShieldIcon = () => (
  <Icon>
    <path d="M10 2.75 4 5v4.5c0 3.6 2.4 6.3 6 7.75 3.6-1.45 6-4.15 6-7.75V5l-6-2.25Z" />
    <path d="m7.5 9.75 1.9 1.9 3.35-3.6" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m4.5 10.5 3.6 3.6 7.4-8" />
  </Icon>
);

export const CrossIcon = () => (
  <Icon>
    <path d="m5.5 5.5 9 9M14.5 5.5l-9 9" />
  </Icon>
);

export const AlertIcon = () => (
  <Icon>
    <path d="M10 6.75v4M10 13.75v.01M8.6 3.6 2.3 14.6a1.6 1.6 0 0 0 1.4 2.4h12.6a1.6 1.6 0 0 0 1.4-2.4L11.4 3.6a1.6 1.6 0 0 0-2.8 0Z" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 6.25V10l2.5 1.75" />
  </Icon>
);

export const CloudOffIcon = () => (
  <Icon>
    <path d="M8.2 4.4A4.9 4.9 0 0 1 14 8.2a3.7 3.7 0 0 1 2.9 5.3M14 15.25H5.9a3.65 3.65 0 0 1-.85-7.2M3 3l14 14" />
  </Icon>
);

export const ChevronDownIcon = () => (
  <Icon>
    <path d="m5.5 7.75 4.5 4.5 4.5-4.5" />
  </Icon>
);

export const ArrowLeftIcon = () => (
  <Icon>
    <path d="M16 10H4M8.75 5 3.75 10l5 5" />
  </Icon>
);

export const SyncIcon = () => (
  <Icon>
    <path d="M16.25 8.25A6.5 6.5 0 0 0 4.6 6.4L3.25 8M3.25 4v4h4M3.75 11.75A6.5 6.5 0 0 0 15.4 13.6L16.75 12M16.75 16v-4h-4" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="7" y="7" width="9.5" height="9.5" rx="1.75" />
    <path d="M13 7V5.25c0-.97-.78-1.75-1.75-1.75h-6c-.97 0-1.75.78-1.75 1.75v6c0 .97.78 1.75 1.75 1.75H7" />
  </Icon>
);

export const PinIcon = () => (
  <Icon>
    <path d="M10 17.25s5.25-4.6 5.25-9A5.25 5.25 0 0 0 10 3a5.25 5.25 0 0 0-5.25 5.25c0 4.4 5.25 9 5.25 9Z" />
    <circle cx="10" cy="8.25" r="1.75" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <rect x="4.25" y="8.75" width="11.5" height="8" rx="1.75" />
    <path d="M6.75 8.75V6.5a3.25 3.25 0 0 1 6.5 0v2.25" />
  </Icon>
);

export const LinesIcon = () => (
  <Icon>
    <path d="M3.5 5.5h13M3.5 10h13M3.5 14.5h8" />
  </Icon>
);

export const CalendarIcon = () => (
  <Icon>
    <rect x="3" y="4.25" width="14" height="12.75" rx="2" />
    <path d="M3 8.25h14M6.75 2.75v3M13.25 2.75v3" />
  </Icon>
);

export const StethoscopeIcon = () => (
  <Icon>
    <path d="M5 3.25H3.75V7.5a3.75 3.75 0 0 0 7.5 0V3.25H10M7.5 11.25v1.5a4 4 0 0 0 8 0V11" />
    <circle cx="15.5" cy="9" r="1.75" />
  </Icon>
);

export const MailIcon = () => (
  <Icon>
    <rect x="2.75" y="4.5" width="14.5" height="11.25" rx="2" />
    <path d="m3.5 6 6.5 5 6.5-5" />
  </Icon>
);
