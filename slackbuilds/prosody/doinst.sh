# Settings of the administrator stay: a new file is put beside them, unless it is the same.
config() {
  old=${1%.new}
  if [ ! -e "$old" ]; then
    mv "$1" "$old"
  elif cmp -s "$old" "$1"; then
    rm "$1"
  fi
}

# A script stays executable, or not, as it was.
script() {
  if [ -e "${1%.new}" ]; then
    if [ -x "${1%.new}" ]; then chmod 755 "$1"; else chmod 644 "$1"; fi
  fi
  config "$1"
}

config etc/prosody/prosody.cfg.lua.new
