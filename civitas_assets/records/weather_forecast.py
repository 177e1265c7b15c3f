"""Weather forecasts: what is expected at a place at a time, as it was told last before.

What was measured is an observation; the two are never in one table.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

WEATHER_FORECAST = RecordType(
    name="weather_forecast",
    description="What weather is expected at a place at one time.",
    columns=(
        Column("station_id", ColumnKind.TEXT, "Native id of the place that the forecast is for.", required=True),
        Column("valid_at", ColumnKind.TIME, "The time that it is for; sums are of the hour before.", required=True),
        Column("issued_at", ColumnKind.TIME, "When it was issued."),
        Column("name", ColumnKind.TEXT, "Name of the place."),
        Column("temperature_cel", ColumnKind.NUMBER, "Air temperature in 2 m, degrees Celsius."),
        Column("dew_point_cel", ColumnKind.NUMBER, "Dew point in 2 m, degrees Celsius."),
        Column("pressure_msl_hpa", ColumnKind.NUMBER, "Pressure at sea level in hectopascal.", minimum=0),
        Column("precipitation_mm", ColumnKind.NUMBER, "Precipitation of the hour before in millimetres.", minimum=0),
        Column(
            "precipitation_probability_percent",
            ColumnKind.NUMBER,
            "Probability of more than 0.1 mm in the hour before, percent.",
            minimum=0,
            maximum=100,
        ),
        Column("wind_speed_m_s", ColumnKind.NUMBER, "Wind speed in metres a second.", minimum=0),
        Column("gust_speed_m_s", ColumnKind.NUMBER, "Highest gust of the hour before in metres a second.", minimum=0),
        Column(
            "wind_direction_deg",
            ColumnKind.NUMBER,
            "Where the wind comes from, degrees from north.",
            minimum=0,
            maximum=360,
        ),
        Column("cloud_cover_percent", ColumnKind.NUMBER, "Cloud cover, percent.", minimum=0, maximum=100),
        Column("sunshine_duration_min", ColumnKind.NUMBER, "Sunshine of the hour before in minutes.", minimum=0),
        Column(
            "global_radiation_w_m2",
            ColumnKind.NUMBER,
            "Mean global radiation of the hour before in watt a square metre.",
            minimum=0,
        ),
        Column("visibility_m", ColumnKind.NUMBER, "Visibility in metres.", minimum=0),
        Column("weather_code", ColumnKind.INTEGER, "Significant weather, WMO code table 4677.", minimum=0),
        # No position of the record: the nearest place with a forecast may lie far outside of a town.
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84.", minimum=-180, maximum=180),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84.", minimum=-90, maximum=90),
    ),
    key=("station_id", "valid_at"),
    event_time="valid_at",
    measures=(
        "temperature_cel", "dew_point_cel", "pressure_msl_hpa", "precipitation_mm",
        "precipitation_probability_percent", "wind_speed_m_s", "gust_speed_m_s", "wind_direction_deg",
        "cloud_cover_percent", "sunshine_duration_min", "global_radiation_w_m2", "visibility_m", "weather_code",
    ),
    is_planned=True,
    grain=("place", "time that it is for"),
)  # fmt: skip
