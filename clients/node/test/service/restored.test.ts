/** A host that was restored from a backup, before the service that was not. */
import { afterAll, expect, it } from "vitest";

import { HELD_HIGHER, type Reconciled } from "../../src/index.js";
import { appointment, connectTo, newOrganisation } from "./service.js";

const client = connectTo();
afterAll(() => client.close());

it("what is held higher is told, and a replacement takes over what the host has", async () => {
  const organisationId = newOrganisation();
  const [kept, lost] = [appointment({ revision: 9 }), appointment({ revision: 9 })];
  for (const each of [kept, lost]) {
    expect(await client.syncAfterMutation({ organisationId, appointment: each }, { deadlineMs: 5_000 })).toMatchObject({
      delivered: true,
    });
  }

  const restored = { ...kept, revision: 4 };
  const delivery = await client.syncAfterMutation({ organisationId, appointment: restored }, { deadlineMs: 5_000 });
  expect(delivery).toMatchObject({ delivered: false, error: { reason: HELD_HIGHER } });
  const reconciled = async () => {
    const found: Reconciled[] = [];
    const kept = { list: () => [restored], load: () => Promise.resolve([restored]) };
    for await (const each of client.reconcile({ organisationId, period: null, ...kept })) found.push(each);
    return found;
  };
  expect(await reconciled()).toEqual([{ appointmentId: kept.appointmentId, heldRevision: 9n, outcome: "held_higher" }]);

  const replaced = await client.replace({ organisationId, list: () => [restored] });
  expect(replaced).toMatchObject({ appointmentCount: 1, erasedCount: 1 });
  expect(await reconciled()).toEqual([]);
});
