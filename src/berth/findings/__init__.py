"""What Berth tells people who have to put something right: findings, whoever found them.

A finding says what was seen, why it is so, what to do, and which commands to type, in English and Chinese. Its words
are data: an entry in YAML, beside the code that finds it. To add one, write the entry (a file `ID.yaml` in the folder
of a Catalogue, or an entry of its one file):

    id: claim-refused            # kebab case, never changed once released
    severity: failure            # failure | warning | note
    harm: one                    # data | everyone | one | comfort
    title: {en: …, zh: …}        # for lists
    facts: [field, edit]         # what the words name beside the subjects
    seen: {en: "claim {claim} asks for {field}", zh: …}     # what is the matter
    why: …                       # the cause, where more is known; a list with `applies: ">=1.24"` where versions differ
    cure: {en: …, zh: …, commands: ["kubectl -n {claim_namespace} get pvc {claim_name}"]}
    variants:                    # by name, what is said otherwise than above where more, or something else, is known
      editable: {cure: …}
    sources: [owner/repository#number]

and make it where it is found:

    CATALOGUE.find("claim-refused", Subject("claim", "a/b"), variant={"editable": edit}, field="volumeMode", edit=edit)

Who finds something names its variant: one by its name, or for each whether it holds. A subject gives the facts {claim},
{claim_namespace} and {claim_name}. A value may be a Text, or several strings; in commands each is quoted for the shell,
so write no quotes around {names}. A fact that is None does not exist. An unknown or missing variant, and a fact that is
missing or not declared, are errors (CatalogueError); a check that makes one is told as a check that failed, so nothing
vanishes. Programs read `Finding.facts`, never its sentences.

`finding` holds the values, `entry` the format, `catalogue` reads it, `check` finds mistakes in it when tests run,
`pattern` and `versions` are how texts and servers lead to entries, `render` makes the words on a terminal.
"""
