# How the rules are linted: pint --offline --config alertmanager/pint.hcl lint alertmanager/rules
parser {
  include = ["alertmanager/rules/.*"]
}
