export const faultCells = [];
export async function startFault() {}
