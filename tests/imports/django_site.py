"""Writes a database as a site with Django and django-registration-redux has it.

    django_site.py ENGINE NAME [HOST PORT USER PASSWORD]

Prints one JSON object for each account: name, password, hasher.
"""
import base64
import datetime
import hashlib
import json
import sys

import django
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

if sys.argv[1] == "mysql":
    import pymysql

    pymysql.version_info = (2, 2, 4, "final", 0)
    pymysql.install_as_MySQLdb()

database = {"ENGINE": "django.db.backends." + sys.argv[1], "NAME": sys.argv[2]}
if len(sys.argv) > 3:
    database |= dict(zip(("HOST", "PORT", "USER", "PASSWORD"), sys.argv[3:]))
HASHERS = "django.contrib.auth.hashers."


class WrappedSHA1(PBKDF2PasswordHasher):
    """PBKDF2 over the digests of a still older site, so that nobody had to sign in first."""

    algorithm = "pbkdf2_wrapped_sha1"

    def encode(self, password, salt, iterations=None):
        inner = hashlib.sha1((salt + password).encode()).hexdigest()
        return super().encode(inner, salt, iterations)


settings.configure(
    DATABASES={"default": database},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sites", "registration"],
    SITE_ID=1,
    USE_TZ=True,
    TIME_ZONE="Europe/Amsterdam",
    SECRET_KEY="nothing is signed here",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    ACCOUNT_ACTIVATION_DAYS=3,
    PASSWORD_HASHERS=[
        HASHERS + "PBKDF2PasswordHasher",
        HASHERS + "PBKDF2SHA1PasswordHasher",
        HASHERS + "Argon2PasswordHasher",
        HASHERS + "BCryptSHA256PasswordHasher",
        HASHERS + "BCryptPasswordHasher",
        HASHERS + "ScryptPasswordHasher",
        HASHERS + "MD5PasswordHasher",
        "__main__.WrappedSHA1",
    ],
)
django.setup()

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from registration.models import SupervisedRegistrationProfile

call_command("migrate", verbosity=0, run_syncdb=True)
PASSWORDS = ["C0rrect-horse-7", " blanks around ", "pässwörd 名前 \U0001f434", "long " * 30]
JOINED = datetime.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)
choir = Group.objects.create(name="Choir é")


def add(name, password, hasher="default", **more):
    user = User.objects.create(username=name, date_joined=JOINED, password=make_password(password, hasher=hasher), **more)
    assert password is None or check_password(password, user.password)
    print(json.dumps({"name": name, "password": password, "hasher": hasher}))
    return user


# As many rounds as Django takes for one of them; it is the same with fewer.
add("as-it-comes", PASSWORDS[0])
PBKDF2PasswordHasher.iterations = 20_000
for hasher in ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5", "pbkdf2_wrapped_sha1"]:
    for number, password in enumerate(PASSWORDS):
        add(f"{hasher}.{number}", password, hasher)

P = "C0rrect-horse-7"
add("Chief", P, email="Chief@Example.org", first_name="Ann", last_name="Smith", is_superuser=True, is_staff=True).groups.add(choir)
add("helper", P, email="helper@example.org", is_staff=True, last_login=JOINED)
add("unusable", None)
add("twin", P, email="chief@example.ORG")
add("Twin", P)
add("odd@example.org", P)
add("mail", P, email="not an address")
for name, active, activated, seen in [
    ("unconfirmed", False, False, None),
    ("waiting", False, True, None),
    ("member", True, True, None),
    ("barred", False, True, JOINED),
]:
    user = add(name, P, is_active=active, last_login=seen)
    profile = SupervisedRegistrationProfile.objects.create(user=user, activation_key="k" * 64)
    profile.activated = activated
    profile.save()
add("switched-off", P, is_active=False)
