/** An error that a person can act on; its text is shown as it is: what, why, what to do. */
export class Failure extends Error {}
