// A small machine's daily work, in the manner of the usual embedded benchmarks: linked lists,
// matrices, a state machine over text, and a checksum over all of it.
#define NODES 64
#define SIDE 12
#define TEXT 256

typedef unsigned short u16;
typedef short i16;

typedef struct node {
    struct node *next;
    i16 value;
    i16 rank;
} node;

static node nodes[NODES];
static i16 a[SIDE][SIDE], b[SIDE][SIDE];
static int c[SIDE][SIDE];
static char text[TEXT];

static u16 checksum(unsigned value, u16 crc) {
    for (int i = 0; i < 16; i++) {
        int carry = (int)((value ^ crc) & 1);
        value >>= 1;
        crc >>= 1;
        if (carry) {
            crc ^= 0xa001;
        }
    }
    return crc;
}

// ---- Lists ----
static node *reversed(node *list) {
    node *done = 0;
    while (list) {
        node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static const node *found(const node *list, i16 value) {
    while (list && list->value != value) {
        list = list->next;
    }
    return list;
}

static int by_value(const node *one, const node *other) {
    return one->value - other->value;
}

static int by_rank(const node *one, const node *other) {
    return one->rank - other->rank;
}

static node *sorted(node *list, int (*compare)(const node *, const node *)) {
    if (!list || !list->next) {
        return list;
    }
    node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    node *right = sorted(slow->next, compare);
    slow->next = 0;
    node *left = sorted(list, compare);
    node head = {0, 0, 0}, *end = &head;
    while (left && right) {
        node **least = compare(left, right) <= 0 ? &left : &right;
        end->next = *least;
        end = *least;
        *least = end->next;
    }
    end->next = left ? left : right;
    return head.next;
}

static u16 lists(int seed, u16 crc) {
    for (int i = 0; i < NODES; i++) {
        nodes[i].value = (i16)((seed + i * 37) & 0xff);
        nodes[i].rank = (i16)i;
        nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : 0;
    }
    node *list = sorted(nodes, by_value);
    for (i16 i = 0; i < 8; i++) {
        const node *at = found(list, (i16)(i * 31));
        crc = checksum(at ? (unsigned)at->rank : 0xffff, crc);
        list = reversed(list);
    }
    list = sorted(list, by_rank);
    for (node *at = list; at; at = at->next) {
        crc = checksum((u16)at->value, crc);
    }
    return crc;
}

// ---- Matrices ----
static u16 matrices(int seed, u16 crc) {
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = (i16)(seed * i + j);
            b[i][j] = (i16)(seed + i - j * 3);
        }
    }
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int sum = 0;
            for (int k = 0; k < SIDE; k++) {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
    int total = 0, last = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int bits = c[i][j] >> 2 & 0x7f;
            total += bits > last ? 10 : bits;
            last = bits;
        }
        crc = checksum((unsigned)total, crc);
    }
    return crc;
}

// ---- Text: is each word a whole number, a fraction, an exponent's, or none? ----
enum { START, SIGN, WHOLE, FRACTION, EXPONENT, POWER, WRONG, STATES };

static int next_state(int state, char at) {
    int digit = at >= '0' && at <= '9';
    switch (state) {
    case START:
        return digit ? WHOLE : at == '+' || at == '-' ? SIGN : at == '.' ? FRACTION : WRONG;
    case SIGN:
        return digit ? WHOLE : at == '.' ? FRACTION : WRONG;
    case WHOLE:
        return digit ? WHOLE : at == '.' ? FRACTION : at == 'e' ? EXPONENT : WRONG;
    case FRACTION:
        return digit ? FRACTION : at == 'e' ? EXPONENT : WRONG;
    case EXPONENT:
        return digit || at == '-' ? POWER : WRONG;
    case POWER:
        return digit ? POWER : WRONG;
    default:
        return WRONG;
    }
}

static u16 words(int seed, u16 crc) {
    static const char pieces[8][8] = {"5012,",  "1234,",  "-874,",  "+122,",
                                      "35.54,", ".1234,", "5.5e3,", "T0.3e,"};
    int size = 0;
    for (int i = 0; size < TEXT - 8; i++) {
        const char *piece = pieces[(seed + i * 5) & 7];
        for (int k = 0; piece[k]; k++) {
            text[size++] = piece[k];
        }
    }
    int counts[STATES] = {0}, state = START;
    for (int i = 0; i < size; i++) {
        if (text[i] == ',') {
            counts[state]++;
            state = START;
        } else {
            state = next_state(state, text[i]);
        }
    }
    for (int i = 0; i < STATES; i++) {
        crc = checksum((unsigned)counts[i], crc);
    }
    return crc;
}

__attribute__((export_name("run"))) int run(int rounds) {
    u16 crc = 0;
    for (int round = 0; round < rounds; round++) {
        crc = lists(round, crc);
        crc = matrices(round, crc);
        crc = words(round, crc);
    }
    return crc;
}
