/** The pages of the settings: those of the product, unless the host lists its own. */
import type { ReactNode } from "react";
import { useHost, type SettingsPaths } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { BuildingIcon, PersonIcon, PlugIcon, ShieldIcon } from "../ui/icons";

/** A page of the settings, as the sidebar and the overview list it. */
export interface SettingsDestination {
  readonly path: string;
  readonly label: string;
  readonly icon?: ReactNode;
}

interface OwnDestination {
  readonly path: keyof SettingsPaths;
  readonly label: MessageKey & `settings.${string}`;
  readonly icon: ReactNode;
}

const DESTINATIONS: readonly OwnDestination[] = [
  { path: "profile", label: "settings.profile", icon: <PersonIcon /> },
  { path: "organisation", label: "settings.organisation", icon: <BuildingIcon /> },
  { path: "integrations", label: "settings.integrations", icon: <PlugIcon /> },
  { path: "security", label: "settings.security", icon: <ShieldIcon /> },
];

/** Answers the pages that are listed. */
export function useDestinations(given: readonly SettingsDestination[] | undefined): readonly SettingsDestination[] {
  const { t, paths } = useHost();
  return given ?? DESTINATIONS.map(({ path, label, icon }) => ({ path: paths[path], label: t(label), icon }));
}
