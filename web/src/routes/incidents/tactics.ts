// The tactics of MITRE ATT&CK in the order of its matrix, which is that of an attack.

export const KILL_CHAIN: readonly string[] = [
  "Reconnaissance",
  "Resource Development",
  "Initial Access",
  "Execution",
  "Persistence",
  "Privilege Escalation",
  "Defense Evasion",
  "Credential Access",
  "Discovery",
  "Lateral Movement",
  "Collection",
  "Command and Control",
  "Exfiltration",
  "Impact",
];

export interface ChainLink {
  tactic: string;
  /** Findings of this tactic. */
  findings: number;
}

/** Every tactic of the matrix with how many steps name it; what the matrix lacks comes last. */
export function chainOf(steps: readonly { tactics: readonly string[] }[]): ChainLink[] {
  const counts = new Map(KILL_CHAIN.map((tactic) => [tactic, 0]));
  for (const step of steps) {
    for (const tactic of step.tactics) counts.set(tactic, (counts.get(tactic) ?? 0) + 1);
  }
  return [...counts].map(([tactic, findings]) => ({ tactic, findings }));
}
