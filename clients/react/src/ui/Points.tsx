import type { ReactElement } from "react";
import { CheckIcon, CrossIcon } from "./icons";

/** What a list of points is drawn from. */
export interface PointsProps {
  readonly title: string;
  readonly points: readonly string[];
  /** Whether each bears a tick; else a cross. */
  readonly isTicked: boolean;
}

/** A titled list of short points. */
export function Points({ title, points, isTicked }: PointsProps): ReactElement {
  return (
    <div className={isTicked ? "cc-points cc-points-ticked" : "cc-points"}>
      <h3 className="cc-points-title">{title}</h3>
      <ul>
        {points.map((point) => (
          <li key={point}>
            {isTicked ? <CheckIcon /> : <CrossIcon />}
            <span>{point}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
