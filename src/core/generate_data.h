/* Tables of made-up transactions (generate.c).  Texts are ready for CSV: in quotes where a comma is inside. */
#ifndef FT_GENERATE_DATA_H
#define FT_GENERATE_DATA_H

#include <stddef.h>
#include <stdint.h>

enum ft_made_half { FT_MADE_ANY, FT_MADE_MORNING, FT_MADE_EVENING };

struct ft_made_category {
    const char *name;
    int first, n;           /* its merchants */
    int honest, frauds;     /* how often: weights */
    enum ft_made_half half; /* of the day in which honest people buy it */
    double amount[4], fraud_amount[3];
};

struct ft_made_city {
    const char *text; /* one_city,us_state,post_code,lat,lon,population_city */
    int32_t lat, lon; /* in millionths of a degree */
};

extern const char *const ft_made_first_f[], *const ft_made_first_m[], *const ft_made_last[];
extern const char *const ft_made_street[], *const ft_made_job[], *const ft_made_merchant[];
extern const size_t ft_made_first_f_n, ft_made_first_m_n, ft_made_last_n;
extern const size_t ft_made_street_n, ft_made_job_n, ft_made_merchant_n;
extern const struct ft_made_city ft_made_city[];
extern const size_t ft_made_city_n;
extern const struct ft_made_category ft_made_category[];
extern const size_t ft_made_category_n;

#endif
