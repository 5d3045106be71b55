// A server of a test's own, which it may kill: on free ports, with its own data directory.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { PROGRAM } from "./settings.ts";

/** Ports below those that Linux gives to clients, so that a restarted server finds its own free. */
const PORTS = { from: 22_000, until: 31_900 };
const START_MS_MAX = 60_000;

export class OwnServer {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "yagura-e2e-"));
  readonly data = path.join(this.dir, "data");
  password = "";
  private child: ChildProcess | undefined;

  private constructor(readonly url: string) {}

  /** Ports are taken; nothing runs yet, so rule files can be put to `rules`. */
  static async prepare(): Promise<OwnServer> {
    const [http, syslog] = [await freePort(), await freePort()];
    const server = new OwnServer(`http://127.0.0.1:${http}`);
    fs.writeFileSync(server.config, `[listen]\nhttp = "127.0.0.1:${http}"\nsyslog_tcp = "127.0.0.1:${syslog}"\n`);
    fs.mkdirSync(path.join(server.data, "rules"), { recursive: true });
    return server;
  }

  get config(): string {
    return path.join(this.dir, "config.toml");
  }

  rule(name: string, text: string): void {
    fs.writeFileSync(path.join(this.data, "rules", name), text);
  }

  /** Starts `up`, or the `demo` with its story, and waits until it answers. */
  async start(how: "up" | "demo"): Promise<void> {
    const args = how === "demo" ? ["demo", "--keep", this.data, "--config", this.config] : ["up", "--config", this.config, "--data", this.data];
    const log = fs.openSync(path.join(this.dir, "server.log"), "a");
    const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", log] });
    this.child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const said = /^Password\s+(\S+)/.exec(line);
      if (said?.[1]) this.password = said[1];
    });
    const until = Date.now() + START_MS_MAX;
    while (!(await this.answers())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the server did not start: ${this.log()}`);
      await pause(100);
    }
    if (how === "demo") while (!this.password && Date.now() < until) await pause(50);
    if (!this.password) this.password = this.run("password", "--data", this.data).trim().split(/\s+/).at(-1) ?? "";
  }

  /** A token for a program that sends records. */
  token(): string {
    return this.run("token", "add", "e2e", "--data", this.data).trim().split(/\s+/).at(-1) ?? "";
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  log(): string {
    return fs.readFileSync(path.join(this.dir, "server.log"), "utf8").slice(-2_000);
  }

  private run(...args: string[]): string {
    const ran = spawnSync(PROGRAM, args, { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`${args.join(" ")}: ${ran.stderr}`);
    return ran.stdout;
  }

  private async answers(): Promise<boolean> {
    return fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.until - PORTS.from));
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = net.createServer().once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
