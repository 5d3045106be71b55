// The query cache: when to ask again, and what happens when the session has ended.
import { MutationCache, QueryCache, QueryClient, hashKey } from "@tanstack/react-query";
import { requestTenant } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { keys } from "@/api/queries";

/** `onSessionEnd` runs when the server no longer knows the session. */
export function createClient(onSessionEnd: () => void): QueryClient {
  const check = (error: Error) => {
    if (error instanceof ApiProblem && error.status === 401 && error.code !== "sign_in_refused") {
      client.removeQueries({ queryKey: keys.session });
      onSessionEnd();
    }
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: check }),
    mutationCache: new MutationCache({ onError: check }),
    defaultOptions: {
      queries: {
        // Answers for one tenant are never taken for those of another.
        queryKeyHashFn: (key) => hashKey([requestTenant() ?? null, ...key]),
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        networkMode: "always",
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && error instanceof ApiProblem && (error.unreachable || error.status >= 500),
        retryDelay: (attempt) => 400 * 2 ** attempt,
      },
      mutations: { networkMode: "always" },
    },
  });
  return client;
}
