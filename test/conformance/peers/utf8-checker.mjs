// UTF-8 checked byte by byte, as a peer does it while the bytes arrive; with the defects of defects.mjs that concern it.

export class Utf8Checker {
  #defect;
  #missing = 0;
  #from = 0x80;
  #to = 0xbf;
  #isGood = true;
  #codePoint = 0;

  constructor(defect) {
    this.#defect = defect;
  }

  /** Begins a text. */
  reset() {
    this.#missing = 0;
    this.#from = 0x80;
    this.#to = 0xbf;
    this.#isGood = true;
  }

  /** What came is a text, and does not end inside a character. */
  get isComplete() {
    return this.#isGood && this.#missing === 0;
  }

  /** @returns {boolean} whether the bytes can go on the text */
  push(bytes) {
    for (let i = 0; i < bytes.length && this.#isGood; i++) {
      const byte = bytes[i];
      if (this.#missing > 0) this.#continue(byte);
      else if (byte >= 0x80) this.#begin(byte);
    }
    return this.#isGood;
  }

  #continue(byte) {
    this.#isGood = byte >= this.#from && byte <= this.#to;
    this.#from = 0x80;
    this.#to = 0xbf;
    this.#missing--;
    this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
    const isNoncharacter = this.#missing === 0 && (this.#codePoint & 0xfffe) === 0xfffe;
    if (isNoncharacter && this.#defect === 'noncharacters-rejected') this.#isGood = false;
  }

  #begin(byte) {
    const overlong = this.#defect === 'overlong-accepted';
    const beyond = this.#defect === 'beyond-accepted';
    if (byte >= (overlong ? 0xc0 : 0xc2) && byte < 0xe0) this.#expect(1, byte & 0x1f);
    else if (byte >= 0xe0 && byte < 0xf0) this.#expect(2, byte & 0x0f);
    else if (byte >= 0xf0 && byte < (beyond ? 0xf8 : 0xf5)) this.#expect(3, byte & 0x07);
    else this.#isGood = false;
    if (byte === 0xe0 && !overlong) this.#from = 0xa0;
    if (byte === 0xed && this.#defect !== 'surrogates-accepted') this.#to = 0x9f;
    if (byte === 0xf0 && !overlong) this.#from = 0x90;
    if (byte === 0xf4 && !beyond) this.#to = 0x8f;
  }

  #expect(missing, bits) {
    this.#missing = missing;
    this.#codePoint = bits;
  }
}
