#ifndef FT_NUMBER_H
#define FT_NUMBER_H

/* End of the longest number of JSON's grammar at p, or NULL where none begins or its point or exponent lacks digits. */
const char *ft_json_number_end(const char *p, const char *end);

#endif
