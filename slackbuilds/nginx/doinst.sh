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

config etc/nginx/fastcgi.conf.new
config etc/nginx/fastcgi_params.new
config etc/nginx/koi-utf.new
config etc/nginx/koi-win.new
config etc/nginx/mime.types.new
config etc/nginx/nginx.conf.new
config etc/nginx/scgi_params.new
config etc/nginx/uwsgi_params.new
config etc/nginx/win-utf.new
script etc/rc.d/rc.nginx.new
config etc/logrotate.d/nginx.new
