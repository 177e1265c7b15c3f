"""What belongs to a tenant in PostgreSQL is called after its key: schemas and roles.

Names are only ever made here, from a key that was checked, and are quoted by the driver.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.sql import Identifier

from civitas_assets.publish.destination import check_key

# Tables about the tables of a schema; no model's name begins so.
PUBLICATION = "_publication"
UNFILLED = "_unfilled"
COLLECTED = "_collected"

# What tenants share: who owns the views and may read just that of the tenants' tables, and who reads the views.
COMMONS_OWNER = "civitas_commons"
COMMONS_READER = "commons_reader"


@dataclass(frozen=True)
class Names:
    """The names of one tenant.

    The fixed beginning of a role keeps `jena` and a tenant `jena_reader` apart; the colon, which no key can have, keeps
    what a rebuild collects apart from every tenant's schema.
    """

    slug: str

    def __post_init__(self) -> None:
        check_key(self.slug)

    @property
    def schema(self) -> str:
        """What analysts read: the shared models."""
        return self.slug

    @property
    def rebuild(self) -> str:
        """What a rebuild has collected, which no reader may see."""
        return f"{self.slug}:rebuild"

    @property
    def reader(self) -> str:
        """The role that analysts are made members of: it reads the schema, and owns nothing."""
        return f"civitas_reader_{self.slug}"

    @property
    def writer(self) -> str:
        """The role that owns both schemas, and that publishing acts as."""
        return f"civitas_writer_{self.slug}"

    def quote_table(self, name: str) -> Identifier:
        """A table that analysts read, quoted."""
        return Identifier(self.schema, name)

    def quote_collected(self, name: str) -> Identifier:
        """A table of a rebuild, quoted."""
        return Identifier(self.rebuild, name)
