export async function writeReport(_results: string, _before: string | undefined): Promise<string[]> {
  return [];
}
