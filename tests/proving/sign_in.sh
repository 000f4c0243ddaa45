# Signs in to Prosody over BOSH on loopback as the web application would, and prints what came of it:
# `success`, or the condition. For bash -c, with curl:
#
#   HOST NAME PASSWORD

ask() {
  curl -sS --max-time 20 -H 'Content-Type: text/xml' --data "<body xmlns='http://jabber.org/protocol/httpbind' $1" \
    "http://127.0.0.1:5280/http-bind?token=x.y.z"
}
begun=$(ask "to='$0' rid='1' ver='1.6' wait='5' hold='1' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>")
sid=$(sed -n "s/.* sid='\([^']*\)'.*/\1/p" <<< "$begun")
word=$(printf '\0%s\0%s' "$1" "$2" | base64 -w 0)
said=$(ask "sid='$sid' rid='2'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>$word</auth></body>")
case $said in
  *'<success'*) echo success ;;
  *'<failure'*) sed 's/.*<failure[^>]*><\([a-z-]*\).*/\1/' <<< "$said" ;;
  *) echo "neither: $begun $said" ;;
esac
