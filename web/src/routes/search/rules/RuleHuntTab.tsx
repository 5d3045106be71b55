// Rules over the past: what is asked for at the left, a run with its findings or all runs at the right.
import type { ReactNode } from "react";
import { HuntFrame } from "../HuntFrame";
import { useView } from "../useView";
import { RuleAsk } from "./RuleAsk";
import { Runs } from "./Runs";
import { RunView } from "./RunView";

export function RuleHuntTab({ head }: { head: ReactNode }) {
  const { view } = useView();
  return (
    <HuntFrame ask={view.run === undefined ? "rule" : "beside"}>
      <RuleAsk head={head} />
      {view.run === undefined ? <Runs /> : <RunView key={view.run} id={view.run} />}
    </HuntFrame>
  );
}
