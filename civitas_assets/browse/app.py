"""The pages of the browser, as marimo runs them: `civitas browse` starts it, and what is shown is in `views.py`."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="civitas", width="full")


@app.cell
def _():
    from datetime import UTC, datetime

    import marimo as mo

    from civitas_assets.browse import views
    from civitas_assets.browse.chosen import read_chosen
    from civitas_assets.settings import Settings

    settings = Settings()
    tenant = read_chosen()
    models = views.read_models(settings, tenant)
    now = datetime.now(UTC)
    return mo, models, now, settings, tenant, views


@app.cell
def _(mo, models, tenant):
    model = mo.ui.dropdown(options=[*models], value=next(iter(models)), label="Table")
    mo.vstack([mo.md(f"# {tenant}"), model])
    return (model,)


@app.cell
def _(mo, model):
    sql = mo.ui.text_area(value=f'select * from "{model.value}"', label="Query", full_width=True, rows=2)
    return (sql,)


@app.cell
def _(mo):
    tab = mo.ui.tabs(dict.fromkeys(["Rows", "Dictionary", "Map and series", "Download"], ""))
    tab
    return (tab,)


@app.cell
def _(mo, model, models, now, settings, sql, tab, tenant, views):
    # Only what is open is asked for and drawn.
    def show_rows():
        return mo.vstack([sql, mo.iframe(views.draw_rows(settings, tenant, sql.value), height="32rem")])

    def show_dictionary():
        return mo.iframe(views.draw_dictionary(models[model.value]), height="32rem")

    def show_overview():
        from civitas_assets.browse import drawings

        return mo.iframe(drawings.draw_overview(settings, tenant, now), height="48rem")

    def write_csv():
        from civitas_assets.browse import drawings

        return drawings.write_csv(settings, tenant, model.value, now)

    def show_download():
        return mo.download(
            data=write_csv,
            filename=f"{tenant}_{model.value}.csv",
            mimetype="text/csv",
            label="CSV of the last 31 days, as it may be given to others",
        )

    shows = {
        "Rows": show_rows,
        "Dictionary": show_dictionary,
        "Map and series": show_overview,
        "Download": show_download,
    }
    shows[tab.value]()
    return


if __name__ == "__main__":
    app.run()
