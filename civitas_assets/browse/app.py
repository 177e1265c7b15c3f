"""The pages of the browser, as marimo runs them: `civitas browse` starts it, and what is shown is in `views.py`."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="civitas", width="full")


@app.cell
def _():
    from datetime import UTC, datetime

    import marimo as mo

    from civitas_assets.browse import views
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.report.language import Language
    from civitas_assets.settings import Settings

    settings = Settings()
    tenant = load_catalogue(settings).get_tenant(mo.cli_args()["tenant"])
    language = Language.from_code("en", tenant.zone)
    models = views.read_models(settings, tenant.slug)
    now = datetime.now(UTC)
    return language, mo, models, now, settings, tenant, views


@app.cell
def _(mo, models, tenant):
    model = mo.ui.dropdown(options=[*models], value=next(iter(models)), label="Table")
    mo.vstack([mo.md(f"# {tenant.slug}"), model])
    return (model,)


@app.cell
def _(mo, model):
    sql = mo.ui.text_area(value=f'select * from "{model.value}"', label="Query", full_width=True, rows=2)
    return (sql,)


@app.cell
def _(language, mo, now, settings, tenant, views):
    overview = mo.iframe(views.draw_overview(settings, tenant, now, language), height="48rem")
    return (overview,)


@app.cell
def _(language, mo, model, models, now, overview, settings, sql, tenant, views):
    answer = mo.iframe(views.draw_rows(settings, tenant.slug, sql.value, language), height="32rem")
    download = mo.download(
        data=lambda: views.write_csv(settings, tenant, model.value, now),
        filename=f"{tenant.slug}_{model.value}.csv",
        mimetype="text/csv",
        label="CSV of the last 31 days, as it may be given to others",
    )
    dictionary = mo.iframe(views.draw_dictionary(models[model.value], language), height="32rem")
    mo.ui.tabs(
        {
            "Rows": mo.vstack([sql, answer]),
            "Dictionary": dictionary,
            "Map and series": overview,
            "Download": download,
        }
    )
    return


if __name__ == "__main__":
    app.run()
