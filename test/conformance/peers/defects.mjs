// What a broken peer does wrong, and cases that must catch it, in both roles unless `roles` says otherwise.

/** @type {Record<string, { title: string, caughtBy: string[], roles?: string[] }>} by the name that plain-peer.mjs knows */
export const defects = {
  'header-whole': { title: 'loses headers that do not come whole', caughtBy: ['1.1.15', '1.2.18', '2.11'] },
  'empty-lost': { title: 'does not echo empty messages', caughtBy: ['1.1.1', '1.2.1', '6.1.1', '9.7.1'] },
  'last-byte-lost': { title: 'drops the last byte from 65,536 bytes on', caughtBy: ['1.1.7', '1.2.8', '9.1.1'] },
  'type-lost': { title: 'echoes text as binary', caughtBy: ['1.1.2', '5.3', '6.2.1'] },
  'message-lost': { title: 'loses every 500th message', caughtBy: ['9.7.2', '9.8.2'] },
  'message-limit': { title: 'takes at most 1 MiB', caughtBy: ['9.1.4', '9.2.6'] },
  'fragment-limit': { title: 'takes at most 1,000 fragments', caughtBy: ['5.43', '9.3.1', '10.1.2'] },
  'mask-wrong': { title: 'masks as a server, and not as a client', caughtBy: ['1.1.2', '2.2', '7.3.3'] },
  'mask-accepted': { title: 'accepts the wrong mask bit', caughtBy: ['1.3.1', '1.3.3', '1.3.6'] },
  'length-not-minimal': { title: 'sends every length in 8 bytes', caughtBy: ['1.1.2', '7.3.3'] },
  'length-accepted': { title: 'accepts lengths that are too long', caughtBy: ['1.3.7', '1.3.13'] },

  'ping-ignored': { title: 'answers no ping', caughtBy: ['2.1', '2.2', '5.6'] },
  'pong-empty': { title: 'answers pings without their payload', caughtBy: ['2.2', '2.4', '2.12'] },
  'pong-newest': { title: 'answers the newest of several pings only', caughtBy: ['2.10', '2.13'] },
  'pong-late': { title: 'answers pings inside a message behind it', caughtBy: ['2.22', '5.19'] },
  'pong-answered': { title: 'answers pongs', caughtBy: ['2.7', '2.8', '5.27'] },
  'control-long': { title: 'accepts control frames above 125 bytes', caughtBy: ['2.5', '2.16', '2.17', '7.3.6'] },
  'control-fragmented': { title: 'accepts fragmented control frames', caughtBy: ['5.1', '5.33', '5.35', '7.3.20'] },

  'rsv-accepted': { title: 'accepts reserved bits', caughtBy: ['3.1', '3.2', '3.6', '3.7', '3.8.1', '3.13.7'] },
  'opcode-accepted': { title: 'skips frames of reserved opcodes', caughtBy: ['4.1.1', '4.2.3', '4.3.1', '4.4.6'] },
  'header-late': { title: 'checks a header when it is complete', caughtBy: ['3.8.1', '4.3.10', '5.31', '5.32'] },

  'fragments-echoed': { title: 'echoes fragments as messages', caughtBy: ['5.3', '5.8', '6.2.2', '9.3.5'] },
  'continuation-of-nothing': { title: 'accepts a continuation of nothing', caughtBy: ['5.9', '5.10', '5.32', '5.38'] },
  'message-inside': { title: 'accepts a message inside another one', caughtBy: ['5.18', '5.28', '5.31'] },
  'echo-late': { title: 'forgets what it has not echoed when a frame is wrong', caughtBy: ['3.2', '5.15', '6.4.8'] },

  'utf8-ignored': {
    title: 'accepts what is not UTF-8',
    caughtBy: ['6.3.1', '6.3.2', '6.12.1.1', '6.16.3.3', '6.20.1.4'],
  },
  'utf8-at-message-end': {
    title: 'checks UTF-8 when the message is complete',
    caughtBy: ['6.3.2', '6.4.1', '6.4.3', '6.12.1.2', '6.12.1.4'],
  },
  'utf8-at-frame-end': { title: 'checks UTF-8 when the frame is complete', caughtBy: ['6.4.3', '6.4.6', '6.12.1.4'] },
  'utf8-per-fragment': { title: 'rejects characters cut by fragments', caughtBy: ['6.2.3', '6.6.2.2', '6.22.34.4'] },
  'surrogates-accepted': { title: 'accepts surrogates', caughtBy: ['6.3.1', '6.20.1.1', '6.21.8.2', '6.20.7.4'] },
  'overlong-accepted': { title: 'accepts overlong sequences', caughtBy: ['6.17.1.1', '6.18.2.1', '6.19.3.3'] },
  'beyond-accepted': { title: 'accepts what is beyond U+10FFFF', caughtBy: ['6.4.4', '6.10.1.1', '6.11.5.1'] },
  'noncharacters-rejected': { title: 'rejects noncharacters', caughtBy: ['6.9.3.1', '6.22.1.1', '6.22.34.3'] },
  'bom-stripped': { title: 'strips the byte order mark', caughtBy: ['6.2.6'] },

  'failure-code': { title: 'fails with 1000', caughtBy: ['3.1', '6.3.1', '7.9.1'] },
  'failure-drops': { title: 'fails without a Close frame', caughtBy: ['3.1', '5.18', '6.3.1', '7.3.2'] },
  'close-ignored': { title: 'does not answer Close', caughtBy: ['7.1.1', '7.3.1', '7.3.3'] },
  'close-answered-1000': { title: 'answers every Close with 1000', caughtBy: ['7.7.2', '7.8.13'] },
  'close-one-byte': { title: 'accepts a Close of 1 byte', caughtBy: ['7.3.2', '7.3.18'] },
  'status-unchecked': { title: 'accepts every close code', caughtBy: ['7.9.1', '7.9.4', '7.10.5', '7.13.1', '7.13.2'] },
  'status-new': { title: 'knows no close code from 1012 on', caughtBy: ['7.7.14', '7.7.16'] },
  'reason-unchecked': { title: 'accepts reasons that are not UTF-8', caughtBy: ['7.5.1', '7.5.5', '7.5.40'] },
  'after-close-echo': { title: 'echoes what follows Close', caughtBy: ['7.1.4', '7.1.9', '7.1.11'] },
  'after-close-pong': { title: 'answers a ping that follows Close', caughtBy: ['7.1.3'] },
  'after-close-twice': { title: 'answers Close twice', caughtBy: ['7.1.2', '7.1.7'] },
  'tcp-left-open': { title: 'does not end TCP', caughtBy: ['7.1.1', '7.3.3', '1.1.2'] },
  // A client's reset behind the server's FIN looks like a FIN to Node.js.
  'tcp-reset': { title: 'ends TCP with a reset', caughtBy: ['7.3.3', '7.7.1'], roles: ['server'] },

  'deflate-context-lost': { title: 'decompresses each message by itself', caughtBy: ['12.4.6', '12.6.16'] },
  'deflate-context-kept': {
    title: 'compresses with a context that it should not have',
    caughtBy: ['13.2.3', '13.6.6'],
  },
  'deflate-window-ignored': {
    title: 'compresses with a larger window',
    caughtBy: ['13.3.10', '13.8.3'],
  },
  'deflate-tail-kept': { title: 'leaves the end of a message in place', caughtBy: ['12.1.1', '12.6.1'] },
  'deflate-rsv-missing': { title: 'compresses without RSV1', caughtBy: ['12.1.1', '12.6.4'] },
  'deflate-rsv-pong': { title: 'sends pongs with RSV1', caughtBy: ['2.2', '12.6.33'] },
  'deflate-rsv-continuation': { title: 'accepts RSV1 on continuations', caughtBy: ['12.7.16', '12.7.23'] },
  'deflate-rsv-control': { title: 'accepts RSV1 on control frames', caughtBy: ['12.7.30', '12.7.37', '12.7.44'] },
  'deflate-rsv-others': {
    title: 'accepts all reserved bits with compression',
    caughtBy: ['12.7.1', '12.7.8', '12.7.12'],
  },
  'deflate-uninvited': {
    title: 'accepts RSV1 without the extension',
    caughtBy: ['3.8.4', '13.11.34'],
    roles: ['server'],
  },
  'deflate-corrupt': { title: 'accepts data that is not DEFLATE', caughtBy: ['12.8.1', '12.8.3', '12.8.12'] },
  'deflate-cut': { title: 'accepts messages that are cut', caughtBy: ['12.8.29', '12.8.35', '12.8.39'] },
  'deflate-final': { title: 'knows no final blocks', caughtBy: ['12.6.6', '12.6.12'] },
  'deflate-late': {
    title: 'decompresses a message when it is complete',
    caughtBy: ['12.8.13', '12.9.2', '12.9.3', '12.9.4'],
  },
  'deflate-limit': { title: 'counts bytes before they are decompressed', caughtBy: ['12.10.2', '12.10.3', '12.10.4'] },
  'offer-bits-accepted': {
    title: 'accepts windows that do not exist',
    caughtBy: ['13.11.1', '13.11.2', '13.11.13'],
    roles: ['server'],
  },
  'offer-repeated': {
    title: 'accepts offers that repeat a parameter',
    caughtBy: ['13.11.24', '13.11.26', '13.11.33'],
    roles: ['server'],
  },
  'offer-unknown': {
    title: 'accepts offers with unknown parameters',
    caughtBy: ['13.11.30', '13.11.31'],
    roles: ['server'],
  },
  'offer-flag-value': {
    title: 'accepts values where none belong',
    caughtBy: ['13.11.28', '13.11.29'],
    roles: ['server'],
  },
  'offer-grammar': {
    title: 'declines offers that are no list',
    caughtBy: ['13.12.1', '13.12.2', '13.12.5'],
    roles: ['server'],
  },
  'offer-first-only': { title: 'looks at the first offer only', caughtBy: ['13.10.5', '13.10.6'], roles: ['server'] },
  'answer-incomplete': {
    title: 'leaves out of its answer what was asked of it',
    caughtBy: ['13.2.1', '13.3.1'],
    roles: ['server'],
  },
  'answer-uninvited': {
    title: 'limits a window that the client did not offer',
    caughtBy: ['13.9.1', '13.10.1'],
    roles: ['server'],
  },
  'answer-grammar': {
    title: 'accepts an answer that is no list',
    caughtBy: ['13.13.34', '13.13.35'],
    roles: ['client'],
  },
  'answer-other': {
    title: 'accepts an extension that it did not offer',
    caughtBy: ['13.13.41', '13.13.42'],
    roles: ['client'],
  },
};
