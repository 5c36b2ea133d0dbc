#compdef tracelab
# Completion of tracelab for zsh: tracelab completion zsh >"${fpath[1]}/_tracelab", or source <(tracelab completion zsh)

_tracelab() {
    local -a typed closed open
    local line word files=''
    typed=("${(@)words[2,CURRENT-1]}")
    for line in "${(@f)$("${(e)words[1]/#\~/$HOME}" __complete -- "${(@)typed}" "$PREFIX" 2>/dev/null)}"; do
        case $line in
            ''|:lead=*) ;;
            :files) files='_files' ;;
            :folders) files='_files -/' ;;
            *)
                word=${line%%$'\t'*}
                line="${word//:/\\:}:${line#*$'\t'}"
                if [[ $word == *[:=] ]]; then open+=("$line"); else closed+=("$line"); fi
                ;;
        esac
    done
    if (( $#closed )); then _describe -t words 'tracelab' closed; fi
    if (( $#open )); then _describe -t words 'tracelab' open -S ''; fi
    if [[ -n $files ]]; then
        if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
        ${=files}
    fi
}

if [[ ${funcstack[1]} == _tracelab ]]; then _tracelab "$@"; else compdef _tracelab tracelab; fi
