// Who has which of a few places in the drawing.

// A number of rows, each for one name. A name keeps its row for as long as anybody needs it, and then until another needs
// the row: the one that has been free for longest.
export class Rows {
  #names;
  #users;
  #freeSince;
  #time = 0;

  constructor(number) {
    this.#names = new Array(number);
    this.#users = new Array(number).fill(0);
    this.#freeSince = new Array(number).fill(0);
  }

  // The row of `name` for one more user; undefined when others need all of them.
  take(name) {
    let row = this.#names.indexOf(name);
    if (row === -1)
      row = this.#longestFree();
    if (row === undefined)
      return undefined;
    this.#names[row] = name;
    ++this.#users[row];
    return row;
  }

  giveBack(row) {
    if (--this.#users[row] === 0)
      this.#freeSince[row] = ++this.#time;
  }

  names() {
    return this.#names;
  }

  #longestFree() {
    const free = this.#users.flatMap((users, row) => users === 0 ? [row] : []);
    return free.sort((one, other) => this.#freeSince[one] - this.#freeSince[other])[0];
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
