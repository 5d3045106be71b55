// Prints dark pages in the light theme: paper is white.
import { useEffect } from "react";
import { applyToDocument } from "@/lib/settings";

export function usePrintInLight(): void {
  useEffect(() => {
    const lighten = () => (document.documentElement.dataset.theme = "light");
    window.addEventListener("beforeprint", lighten);
    window.addEventListener("afterprint", applyToDocument);
    return () => {
      window.removeEventListener("beforeprint", lighten);
      window.removeEventListener("afterprint", applyToDocument);
    };
  }, []);
}
