// A wire between browser and server that a test can cut and mend.
import net from "node:net";

export class Wire {
  private sockets = new Set<net.Socket>();
  private isCut = false;

  private constructor(
    readonly url: string,
    private readonly server: net.Server,
  ) {}

  static async to(target: string): Promise<Wire> {
    const { hostname, port } = new URL(target);
    const held: { wire?: Wire } = {};
    const server = net.createServer((near) => held.wire?.join(near, Number(port), hostname));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    held.wire = new Wire(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, server);
    return held.wire;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  mend(): void {
    this.isCut = false;
  }

  /** Drops what is connected; new connections go through. */
  drop(): void {
    this.cut();
    this.mend();
  }

  remove(): void {
    this.cut();
    this.server.close();
  }

  private join(near: net.Socket, port: number, host: string): void {
    if (this.isCut) return void near.destroy();
    const far = net.connect(port, host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => (this.sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  }
}
