// A value once it rests, for what is passed over quickly and need not be asked for.
import { useEffect, useState } from "react";

const SETTLED_AFTER_MS = 120;

export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
