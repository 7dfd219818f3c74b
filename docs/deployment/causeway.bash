# Bash completion for causeway, code-server and iso8583-host, from what the program itself says in --help: its options
# and, for an option with a value, the kind of value.

_causeway()
{
    local cur prev words cword split value
    _init_completion -s || return

    value=$("$1" --help 2>/dev/null | awk -v option="$prev" '$1 == option { print $2; exit }')
    case $value in
    FILE | 'FILE|-') _filedir ;;
    LEVEL) COMPREPLY=($(compgen -W 'trace debug info warning error' -- "$cur")) ;;
    PROTOCOL) COMPREPLY=($(compgen -W 'codes iso8583' -- "$cur")) ;;
    FORM) COMPREPLY=($(compgen -W 'binary2 binary4 ascii4 bcd2' -- "$cur")) ;;
    'on|off') COMPREPLY=($(compgen -W 'on off' -- "$cur")) ;;
    'NAME|FILE')
        _filedir
        COMPREPLY+=($(compgen -W 'postilion iso8583-1987-ascii' -- "$cur"))
        ;;
    FORMAT) COMPREPLY=($(compgen -W 'text json' -- "$cur")) ;;
    *'|off') COMPREPLY=($(compgen -W 'off' -- "$cur")) ;;
    HOST:PORT | DURATION | N | NAME | HEX | FIELDS) ;;
    *) $split || COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur")) ;;
    esac
}

complete -F _causeway causeway code-server iso8583-host
