// The runs of rules over the past, and ending one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request, segment } from "@/api/client";
import { ruleHuntsQuery } from "@/api/queries";
import { isOver } from "./rule-hunt";

const POLL_MS = 1_000;

/** All of them, asked for again while one runs. */
export function useRuleHunts() {
  return useQuery({
    ...ruleHuntsQuery(),
    refetchInterval: (query) => (query.state.data?.items.every(isOver) === false ? POLL_MS : false),
  });
}

/** Stops a run and forgets what it found. */
export function useEndRuleHunt(onGone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request("DELETE", `/rule-hunts/${segment(id)}`),
    onSuccess: onGone,
    onSettled: () => client.invalidateQueries({ queryKey: ruleHuntsQuery().queryKey }),
  });
}
