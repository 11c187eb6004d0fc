import { CalendarClient } from "@cassius/calendar-client";
import { googleIntegration } from "@cassius/calendar-client/express";
import { Injectable, Module, type INestApplication, type OnModuleDestroy } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

/** The one client of the process. Nobody listens there: this host is looked at alone. */
@Injectable()
export class Calendar implements OnModuleDestroy {
  readonly client = new CalendarClient({ address: "http://127.0.0.1:1", retry: { retries: 0 } });

  onModuleDestroy(): void {
    this.client.close();
  }
}

@Module({ providers: [Calendar] })
export class Application {}

export async function listen(port: number): Promise<INestApplication> {
  const app = await NestFactory.create(Application, { logger: false });
  app.use(
    googleIntegration({
      client: app.get(Calendar).client,
      publicOrigin: `http://127.0.0.1:${port}`,
      caller: () => ({ organisationId: "cabinet" }),
      mayUse: () => true,
    }),
  );
  app.enableShutdownHooks();
  await app.listen(port, "127.0.0.1");
  return app;
}
