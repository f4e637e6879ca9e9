//! Words by which instructions give themselves away, in the languages that skills are written in most. Lower case.

/// One language's words.
pub struct Language {
    /// To set aside.
    pub ignore: &'static [&'static str],
    /// What is set aside.
    pub instructions: &'static [&'static str],
    /// Not to say.
    pub silence: &'static [&'static str],
    /// To take or to send.
    pub take: &'static [&'static str],
    /// Not to.
    pub forbid: &'static [&'static str],
}

pub const LANGUAGES: &[Language] = &[
    // Spanish
    Language {
        ignore: &["ignora", "ignore ", "olvida", "descarta", "omite"],
        instructions: &[
            "instrucciones anteriores",
            "instrucciones previas",
            "instrucciones del sistema",
            "todas las instrucciones",
            "indicaciones anteriores",
        ],
        silence: &[
            "no se lo digas",
            "no le digas al usuario",
            "no lo menciones",
            "sin que el usuario",
            "sin decírselo",
            "no informes al usuario",
            "no menciones esto",
        ],
        take: &["lee ", "envía", "envia ", "manda ", "copia ", "sube ", "adjunta", "incluye"],
        forbid: &["nunca ", "no envíes", "no leas", "no copies", "evita"],
    },
    // French
    Language {
        ignore: &["ignore ", "ignorez", "oublie", "oubliez", "ne tiens pas compte", "ne tenez pas compte"],
        instructions: &[
            "instructions précédentes",
            "instructions antérieures",
            "instructions du système",
            "toutes les instructions",
            "consignes précédentes",
        ],
        silence: &[
            "ne le dis pas",
            "ne dis rien à l'utilisateur",
            "ne le mentionne pas",
            "ne mentionne pas",
            "ne le dites pas",
            "à l'insu de",
            "n'en parle pas",
            "sans le dire à",
        ],
        take: &["lis ", "lisez", "envoie", "envoyez", "copie", "joins", "téléverse"],
        forbid: &["jamais", "n'envoie pas", "ne lis pas", "évite"],
    },
    // German
    Language {
        ignore: &["ignoriere", "ignorieren sie", "vergiss", "missachte", "übergehe", "beachte nicht"],
        instructions: &[
            "vorherigen anweisungen",
            "bisherigen anweisungen",
            "früheren anweisungen",
            "alle anweisungen",
            "systemanweisungen",
            "anweisungen des systems",
            "vorherigen instruktionen",
        ],
        silence: &[
            "erwähne das nicht",
            "erwähne dies nicht",
            "erwaehne das",
            "sag dem benutzer nicht",
            "sage dem benutzer nicht",
            "teile dem benutzer nicht",
            "ohne dass der benutzer",
            "ohne den benutzer zu informieren",
            "dem nutzer nicht mit",
            "verschweige",
        ],
        take: &["lies ", "lese ", "schicke", "sende ", "kopiere", "lade ", "hänge "],
        forbid: &["niemals", "sende keine", "lies nicht", "vermeide"],
    },
    // Portuguese
    Language {
        ignore: &["ignore ", "ignora ", "esqueça", "esquece", "desconsidere"],
        instructions: &["instruções anteriores", "instruções prévias", "instruções do sistema", "todas as instruções"],
        silence: &[
            "não conte ao usuário",
            "não diga ao usuário",
            "não mencione isso",
            "sem que o usuário",
            "não informe o usuário",
            "sem avisar o usuário",
        ],
        take: &["leia ", "envie ", "copie ", "mande ", "anexe", "inclua"],
        forbid: &["nunca ", "não envie", "não leia", "evite"],
    },
    // Italian
    Language {
        ignore: &["ignora ", "ignorare ", "dimentica", "trascura"],
        instructions: &["istruzioni precedenti", "istruzioni del sistema", "tutte le istruzioni"],
        silence: &[
            "non dirlo all'utente",
            "non dire all'utente",
            "non menzionarlo",
            "all'insaputa",
            "non informare l'utente",
        ],
        take: &["leggi ", "invia ", "manda ", "copia ", "carica ", "allega"],
        forbid: &["mai ", "non inviare", "non leggere", "evita"],
    },
    // Russian
    Language {
        ignore: &["игнорируй", "игнорируйте", "забудь", "забудьте", "не обращай внимания"],
        instructions: &[
            "предыдущие инструкции",
            "прежние инструкции",
            "все инструкции",
            "предыдущие указания",
            "системные инструкции",
        ],
        silence: &["не сообщай", "не говори пользовател", "не упоминай", "без ведома", "втайне", "не сообщайте"],
        take: &["прочитай", "прочти", "отправь", "отправьте", "скопируй", "загрузи", "приложи", "перешли"],
        forbid: &["никогда", "не отправляй", "не читай", "избегай"],
    },
    // Chinese
    Language {
        ignore: &["忽略", "无视", "忘记", "不要理会", "忽視", "無視"],
        instructions: &[
            "之前的所有指令",
            "之前的指令",
            "先前的指令",
            "以前的指令",
            "所有指令",
            "以上指令",
            "系统提示",
            "上述指令",
            "之前的指示",
            "前面的指令",
        ],
        silence: &[
            "不要告诉用户",
            "不要向用户",
            "别告诉用户",
            "不要提及",
            "不要让用户知道",
            "无需告知用户",
            "不要告訴",
            "悄悄",
        ],
        take: &["读取", "发送", "上传", "复制", "收集", "附上", "讀取", "發送"],
        forbid: &["切勿", "禁止", "不要读取", "不要发送", "不得"],
    },
    // Japanese
    Language {
        ignore: &["無視し", "忘れて", "無視せよ"],
        instructions: &["これまでの指示", "以前の指示", "すべての指示", "前の指示", "システムプロンプト", "上記の指示"],
        silence: &[
            "ユーザーに伝えない",
            "ユーザーには伝えない",
            "ユーザーに言わない",
            "ユーザーに知らせ",
            "言及しない",
            "秘密に",
        ],
        take: &["読み取", "読み込", "送信し", "アップロード", "コピーし", "含めて"],
        forbid: &["しないでください", "送信しない", "禁止"],
    },
    // Korean
    Language {
        ignore: &["무시하", "잊어", "무시해"],
        instructions: &["이전 지시", "이전의 지시", "모든 지시", "이전 명령", "시스템 프롬프트", "이전의 모든 지시"],
        silence: &["사용자에게 알리지", "사용자에게 말하지", "언급하지", "몰래"],
        take: &["읽고", "읽어", "전송", "보내", "업로드", "복사"],
        forbid: &["절대", "보내지 마", "읽지 마", "금지"],
    },
];
