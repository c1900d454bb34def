from django.db import migrations

# Ids are random: nobody looks for them by how they begin, and each of these is written with every consensus that moves.
DROP_LIKES = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
        AND tablename LIKE 'review\\_%' AND indexdef ~ '\\(([a-z_]+_)?id varchar_pattern_ops\\)'
    LOOP EXECUTE format('DROP INDEX %I', found.indexname); END LOOP;
END $$;
"""


def drop_likes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_LIKES, params=None)


class Migration(migrations.Migration):
    dependencies = [("review", "0007_what_kept_one_more_from_being_asked")]
    operations = [migrations.RunPython(drop_likes, migrations.RunPython.noop)]
