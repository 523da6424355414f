/*
 * A transaction: one card payment, as it comes out of a CSV row or a message.
 *
 * Cells are text until something needs a number (product contract, section 2).  A cell points into memory of
 * whoever made the transaction (the CSV reader's row, the decoder's scratch) and lives as long as that says.
 */
#ifndef FRAUDTOP_TXN_H
#define FRAUDTOP_TXN_H

#include "fraudtop/buf.h"
#include "fraudtop/uuid.h"

enum ft_col {
    FT_COL_TIME,
    FT_COL_MERCH,
    FT_COL_CAT_ID,
    FT_COL_AMOUNT,
    FT_COL_NAME_1,
    FT_COL_NAME_2,
    FT_COL_GENDER,
    FT_COL_STREET,
    FT_COL_CITY,
    FT_COL_STATE,
    FT_COL_POST_CODE,
    FT_COL_LAT,
    FT_COL_LON,
    FT_COL_POPULATION,
    FT_COL_JOBS,
    FT_COL_MERCHANT_LAT,
    FT_COL_MERCHANT_LON,
    FT_N_COLS
};

enum ft_cell_kind {
    FT_CELL_ABSENT,  /* the file or message has no such column */
    FT_CELL_MISSING, /* empty cell, JSON null, bare NaN or Infinity of Python */
    FT_CELL_TEXT,    /* text as it stands (unquoted, unescaped) */
    FT_CELL_NUMBER,  /* a valid JSON number, its text as it stands */
    FT_CELL_TRUE,    /* p, n: "true" */
    FT_CELL_FALSE,   /* p, n: "false" */
    FT_CELL_NESTED   /* an array or object in an extra member: its JSON text */
};

struct ft_cell {
    const char *p;
    uint32_t n;
    uint8_t kind; /* enum ft_cell_kind */
};

struct ft_field {
    struct ft_span name;
    struct ft_cell cell;
};

#define FT_LABEL_UNKNOWN (-1)

struct ft_txn {
    struct ft_uuid id;             /* all zero where rows have none (offline) */
    int8_t label;                  /* 0, 1 or FT_LABEL_UNKNOWN */
    struct ft_cell col[FT_N_COLS]; /* the 17 columns of the contract, in its order */
    const struct ft_field *extra;  /* other columns in the order of the input; never the label */
    size_t n_extra;
};

/* "transaction_time" ... "merchant_lon", in the contract's order. */
extern const char *const ft_col_name[FT_N_COLS];
/* Index of a column by name, or -1. */
int ft_col_find(struct ft_span name);
/* The seven columns that messages carry as JSON numbers. */
bool ft_col_is_number(enum ft_col c);

/* ---- what cells mean ------------------------------------------------------------------------------ */

/* True when text is a number by the grammar of JSON (RFC 8259, section 6). */
bool ft_is_json_number(struct ft_span text);

/*
 * Decimal text to double, correctly rounded, independent of the locale.  Accepts what strtod accepts in the
 * C locale without hexadecimal forms: optional sign, digits, point, exponent, and inf, infinity, nan in any
 * case.  No blanks before or after.  False when it is none.  Allocates nothing.
 */
bool ft_parse_double(struct ft_span text, double *out);

/* YYYY-MM-DD HH:MM with optional :SS, T for the blank, a final Z; a real calendar date, years 1 to 9999. */
struct ft_time {
    int16_t year;
    int8_t month, day, hour, minute, second; /* month and day from 1 */
    int8_t weekday;                          /* 0 Monday ... 6 Sunday */
    int64_t unix_s;                          /* as if the text were UTC */
};
bool ft_parse_time(struct ft_span text, struct ft_time *out);

/* An amount that can be scored: finite and not negative. */
bool ft_parse_amount(struct ft_span text, double *out);

/* Invalid UTF-8 or a zero byte: position of the first offence, or -1 when the text is clean. */
long ft_utf8_check(struct ft_span text);

/*
 * Checks the values that the contract fixes for every transaction: the time's form, the amount, numbers in lat, lon,
 * population_city, merchant_lat and merchant_lon.  A post code is a name, usually of digits: any text will do.  Cells
 * that are absent or missing pass (whether they are required is the model's matter).
 * reason: "amount: \"12,5\" is not a number".
 */
enum ft_status ft_txn_check(const struct ft_txn *t, struct ft_err *reason);

/*
 * The customer's key: 128 bits, SipHash-2-4-128 of the three cells (name_1, name_2, street), each preceded by
 * its length as u32 little-endian, under a secret of 16 bytes; it tells nobody anything without the secret.
 * False when one of the three columns is absent: such rows have no key.  A missing cell counts as empty text.
 */
#define FT_KEY_BYTES 16
bool ft_txn_key(const struct ft_txn *t, const uint8_t secret[16], uint8_t out[FT_KEY_BYTES]);

#endif
