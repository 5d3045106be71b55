// The last run in which records were parsed again, what one would come to, beginning and stopping it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { make, request } from "@/api/client";
import { reparseQuery } from "@/api/queries";
import type { Reparse, ReparseCost, ReparseRequest } from "@/api/types";
import { isOver } from "./reparse";

const POLL_MS = 1_000;
/** Somebody may begin one at the command line. */
const IDLE_POLL_MS = 10_000;

/** Asked for again all the time, oftener while one runs. */
export function useLastReparse() {
  const client = useQueryClient();
  const query = useQuery({
    ...reparseQuery(),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? POLL_MS : IDLE_POLL_MS),
  });
  const running = query.data ? !isOver(query.data) : false;
  const ran = useRef(running);
  useEffect(() => {
    // What pages hold of events is old from here on; each asks again when it is opened.
    if (ran.current && !running) void client.invalidateQueries({ refetchType: "none" });
    ran.current = running;
  }, [running, client]);
  return query;
}

interface Costed {
  /** What was asked for, as it stood on the page. */
  key: string;
  request: ReparseRequest;
}

/** The cost of what stands on the page and the start of it; what was said of something else is not shown. */
export function useAsk(key: string) {
  const client = useQueryClient();
  const cost = useMutation({
    mutationFn: async (asked: Costed) => ({ ...asked, cost: await request<ReparseCost>("POST", "/reparse/cost", { body: asked.request }) }),
    onMutate: () => begin.reset(),
  });
  const begin = useMutation({
    mutationFn: (asked: Costed) => make<Reparse>("/reparse", { body: asked.request }),
    onSuccess: (begun) => {
      client.setQueryData(reparseQuery().queryKey, begun);
      cost.reset();
    },
    onError: () => client.invalidateQueries({ queryKey: reparseQuery().queryKey }),
  });
  const ofThis = (asked: Costed | undefined) => asked?.key === key;
  return {
    show: (asked: ReparseRequest) => cost.mutate({ key, request: asked }),
    begin: begin.mutate,
    busy: cost.isPending || begin.isPending,
    costed: ofThis(cost.data) ? cost.data : undefined,
    error: (ofThis(begin.variables) && begin.error) || (ofThis(cost.variables) && cost.error) || null,
  };
}

/** Stops the run. It is over a moment later. */
export function useStop() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request("DELETE", "/reparse"),
    onSettled: () => client.invalidateQueries({ queryKey: reparseQuery().queryKey }),
  });
}
