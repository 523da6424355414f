/*
 * Reading JSON of messages in place, value after value, without a tree.  RFC 8259, with the three bare tokens that Python
 * writes (NaN, Infinity, -Infinity).  Strict otherwise: well-formed UTF-8, no control characters, zero bytes or lone
 * surrogates in strings, no depth beyond FT_JSON_DEPTH.
 */
#ifndef FT_JSON_SCAN_H
#define FT_JSON_SCAN_H

#include "fraudtop/buf.h"

#define FT_JSON_DEPTH 32

enum ft_json_kind {
    FT_JSON_NULL,
    FT_JSON_NONFINITE, /* a bare NaN, Infinity or -Infinity */
    FT_JSON_TRUE,
    FT_JSON_FALSE,
    FT_JSON_NUMBER,
    FT_JSON_STRING,
    FT_JSON_ARRAY,
    FT_JSON_OBJECT
};

struct ft_json {
    const char *p, *end; /* what is not yet read */
    const char *start;
    char *scratch; /* for strings with escapes; as long as the text */
    size_t used;
    int depth;
    bool nonfinite;  /* a bare token was passed since this was last cleared */
    const char *why; /* NULL, or what is wrong at p */
};

struct ft_json_value {
    enum ft_json_kind kind;
    struct ft_span text; /* unescaped string; else as it stands */
};

void ft_json_start(struct ft_json *j, struct ft_span text, char *scratch);
void ft_json_blanks(struct ft_json *j);
/* True at the end of the text, blanks passed over; else sets why. */
bool ft_json_ended(struct ft_json *j);
/* Reads one value whole; arrays and objects are passed over (and checked).  False: why says what is wrong. */
bool ft_json_value(struct ft_json *j, struct ft_json_value *v);
/*
 * Inside: ft_json_open takes the bracket ('{' or '['), then ft_json_member (objects) or ft_json_element (arrays) says
 * whether another value follows, which must then be read.  False with why NULL: the closing bracket was taken.
 */
bool ft_json_open(struct ft_json *j, char bracket);
bool ft_json_goes_on(struct ft_json *j, char close,
                     bool *first); /* what the two below begin with */
bool ft_json_member(struct ft_json *j, bool *first, struct ft_span *name);
bool ft_json_name(struct ft_json *j, struct ft_span *name); /* of a member, and its colon */
bool ft_json_element(struct ft_json *j, bool *first);

#endif
