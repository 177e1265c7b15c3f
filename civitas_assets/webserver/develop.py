"""`python -m civitas_assets.webserver.develop dev`: `dg dev` with the webserver that is deployed."""

from civitas_assets.webserver.serve import run_develop

if __name__ == "__main__":
    run_develop()
