# Completion of tracelab for bash 3.2 and newer: source <(tracelab completion bash)

_tracelab() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} line word lead='' files=''
    # bash takes --format=js for three words, and completes the last of them.
    if [[ $cur == '=' || $cur == ':' ]]; then cur=''; fi
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files) files=-f ;;
            :folders) files=-d ;;
            :lead=*)
                lead=${line#:lead=}
                if [[ $cur == "$lead"* ]]; then lead=''; fi # not broken into words here
                ;;
            *)
                word=${line%%$'\t'*}
                COMPREPLY+=("${word#"$lead"}")
                ;;
        esac
    done < <("$program" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen $files -- "$cur")
    elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _tracelab tracelab
