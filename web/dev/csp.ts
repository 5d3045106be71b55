// The policy the server sends with the console; `vite preview` sends it, too, so that breaches show.
import type { Plugin } from "vite";

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function strictCsp(): Plugin {
  return {
    name: "yagura-csp",
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader("content-security-policy", CSP);
        next();
      });
    },
  };
}
