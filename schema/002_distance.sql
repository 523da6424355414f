-- From home to merchant along a great circle of a sphere of 6,371 km; NULL where a coordinate is not a number.
CREATE FUNCTION fraudtop_distance_km(data jsonb) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(data -> 'lat') = 'number' AND jsonb_typeof(data -> 'lon') = 'number'
            AND jsonb_typeof(data -> 'merchant_lat') = 'number' AND jsonb_typeof(data -> 'merchant_lon') = 'number'
            AND abs((data ->> 'lat')::numeric) <= 90 AND abs((data ->> 'merchant_lat')::numeric) <= 90
            AND abs((data ->> 'lon')::numeric) <= 360 AND abs((data ->> 'merchant_lon')::numeric) <= 360
        THEN 12742 * asin(least(1, sqrt(
            power(sind(((data ->> 'merchant_lat')::float8 - (data ->> 'lat')::float8) / 2), 2) +
            cosd((data ->> 'lat')::float8) * cosd((data ->> 'merchant_lat')::float8) *
            power(sind(((data ->> 'merchant_lon')::float8 - (data ->> 'lon')::float8) / 2), 2)))) END
$$;
