// Who is signed in, by the name that decisions and owners are kept under.
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "@/api/queries";

export function useMe(): string | undefined {
  return useQuery(sessionQuery()).data?.user;
}
