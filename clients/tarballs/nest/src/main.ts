import "reflect-metadata";
import { listen } from "./application";

void listen(Number(process.argv[2]));
