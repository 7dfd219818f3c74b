// Who has which of a few places in the drawing.

// A number of rows, each for one name. A name keeps its row until another needs it: the row that was used longest ago.
export class Rows {
  #names;
  #used;
  #uses = 0;

  constructor(number) {
    this.#names = new Array(number);
    this.#used = new Array(number).fill(0);
  }

  rowOf(name) {
    let row = this.#names.indexOf(name);
    if (row === -1)
      row = this.#used.indexOf(Math.min(...this.#used));
    this.#names[row] = name;
    this.#used[row] = ++this.#uses;
    return row;
  }

  names() {
    return this.#names;
  }
}

// Places in a queue. Everybody takes the first that is free and keeps it until it is given back.
export class Slots {
  #owners = [];

  take(owner) {
    let slot = this.#owners.indexOf(owner);
    if (slot === -1) {
      slot = this.#owners.findIndex(other => other === undefined);
      if (slot === -1)
        slot = this.#owners.length;
      this.#owners[slot] = owner;
    }
    return slot;
  }

  giveBack(owner) {
    const slot = this.#owners.indexOf(owner);
    if (slot !== -1)
      this.#owners[slot] = undefined;
  }
}
