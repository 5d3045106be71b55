//! Words from which names are made, and the programs that speak HTTP. All made up, or general.

/// Customers. The first letters make their host names; no two begin with the same three.
pub const TENANTS: [&str; 50] = [
    "hinode",
    "aozora",
    "kitami",
    "sazanami",
    "tsubaki",
    "yamane",
    "mizuho",
    "fujita",
    "nagare",
    "okuyama",
    "brightmill",
    "coldharbor",
    "dunmore",
    "eastgate",
    "fairhaven",
    "glenbrook",
    "highmoor",
    "ironbridge",
    "juniper",
    "kestrel",
    "larkfield",
    "maplewood",
    "northquay",
    "oakhurst",
    "pinecrest",
    "quarrybank",
    "redcliff",
    "silverlake",
    "thornbury",
    "underhill",
    "valeside",
    "westbrook",
    "yarrow",
    "zenith",
    "ashdown",
    "birchwood",
    "cloverdale",
    "driftwood",
    "elmswell",
    "foxglove",
    "greystone",
    "hollybank",
    "inverlea",
    "jaspergate",
    "kingsmead",
    "lowfield",
    "meadowbank",
    "nettleham",
    "orchardway",
    "ploverton",
];

/// Given names.
pub const FIRST: [&str; 40] = [
    "aoi", "ren", "yui", "jun", "nina", "maya", "lena", "omar", "ivan", "sara", "tom", "eva",
    "noah", "mila", "hugo", "iris", "kenji", "emi", "taro", "hana", "paul", "rosa", "dina",
    "felix", "greta", "henrik", "ines", "jonas", "karin", "luis", "marta", "nils", "olga", "pedro",
    "rita", "samir", "tanja", "victor", "wanda", "yusuf",
];

/// Family names.
pub const LAST: [&str; 48] = [
    "tanaka", "sato", "mori", "abe", "kapoor", "patel", "morris", "reed", "hale", "ito", "kato",
    "ueda", "berg", "costa", "dietz", "ekman", "ferro", "gupta", "haas", "ibsen", "jensen",
    "klein", "lopez", "meyer", "novak", "olsen", "petit", "quinn", "rossi", "silva", "toth",
    "urban", "vega", "weber", "xu", "young", "zeman", "adler", "bauer", "conti", "duarte", "engel",
    "fischer", "grant", "holm", "imai", "jovic", "kovac",
];

/// First halves of site names.
pub const SITE_FIRST: [&str; 24] = [
    "maple", "cloud", "river", "metro", "blue", "open", "daily", "prime", "north", "smart",
    "green", "swift", "alpha", "solar", "urban", "pixel", "lumen", "harbor", "cedar", "rapid",
    "vista", "delta", "quiet", "nova",
];

/// Second halves of site names.
pub const SITE_SECOND: [&str; 24] = [
    "press",
    "desk",
    "mail",
    "maps",
    "shop",
    "news",
    "bank",
    "docs",
    "video",
    "forum",
    "travel",
    "games",
    "weather",
    "jobs",
    "music",
    "photo",
    "store",
    "works",
    "sync",
    "analytics",
    "labs",
    "health",
    "learn",
    "market",
];

/// Endings reserved for examples (RFC 2606).
pub const ENDINGS: [&str; 4] = [".example", ".example.com", ".example.net", ".example.org"];

/// Words of paths.
pub const PATHS: [&str; 24] = [
    "about",
    "products",
    "blog",
    "contact",
    "login",
    "account",
    "search",
    "docs",
    "pricing",
    "support",
    "news",
    "team",
    "careers",
    "download",
    "help",
    "dashboard",
    "orders",
    "cart",
    "reports",
    "settings",
    "profile",
    "terms",
    "privacy",
    "status",
];

/// Browsers, the most common first.
pub const BROWSERS: [&str; 10] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://www.example.com/bot.html)",
    "curl/8.5.0",
];

/// Services that programs call by themselves: host and the program's name.
pub const SERVICES: [(&str, &str); 10] = [
    ("ctldl.updates.example", "Microsoft-CryptoAPI/10.0"),
    ("updates.vendor.example", "UpdateAgent/3.2"),
    ("telemetry.office.example", "Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; Pro)"),
    ("sync.drive.example.com", "DriveSync/97.0.1.0 Windows"),
    ("delivery.updates.example", "Microsoft-Delivery-Optimization/10.0"),
    ("meet.calls.example.net", "CallsDesktop/24.9 (Windows)"),
    ("push.notify.example.org", "NotifyService/1.4"),
    ("ocsp.trust.example", "Microsoft-CryptoAPI/10.0"),
    ("signatures.endpoint.example", "EndpointShield/7.18 Windows"),
    ("api.packages.example.org", "Apache-HttpClient/4.5.14 (Java/17.0.9)"),
];

/// What Windows runs all day: image, command line, parent's image, whether a person started it.
pub const PROGRAMS: [(&str, &str, &str, bool); 10] = [
    (
        r"C:\Windows\System32\svchost.exe",
        "svchost.exe -k netsvcs -p",
        r"C:\Windows\System32\services.exe",
        false,
    ),
    (
        r"C:\Program Files\Browser\browser.exe",
        "&quot;browser.exe&quot; --type=renderer --lang=en-GB",
        r"C:\Program Files\Browser\browser.exe",
        true,
    ),
    (
        r"C:\Windows\System32\backgroundTaskHost.exe",
        "backgroundTaskHost.exe -ServerName:App.AppX",
        r"C:\Windows\System32\svchost.exe",
        true,
    ),
    (
        r"C:\Windows\System32\RuntimeBroker.exe",
        "RuntimeBroker.exe -Embedding",
        r"C:\Windows\System32\svchost.exe",
        true,
    ),
    (
        r"C:\Windows\System32\gpupdate.exe",
        "gpupdate.exe /target:computer /force",
        r"C:\Windows\System32\svchost.exe",
        false,
    ),
    (
        r"C:\Program Files\Office\WRITER.EXE",
        "&quot;WRITER.EXE&quot; /n /dde",
        r"C:\Windows\explorer.exe",
        true,
    ),
    (
        r"C:\Windows\System32\conhost.exe",
        "conhost.exe 0xffffffff -ForceV1",
        r"C:\Windows\System32\cmd.exe",
        false,
    ),
    (
        r"C:\Windows\System32\SearchProtocolHost.exe",
        "SearchProtocolHost.exe Global\\UsGthrFltPipeMssGthrPipe4_",
        r"C:\Windows\System32\SearchIndexer.exe",
        false,
    ),
    (
        r"C:\Windows\System32\taskhostw.exe",
        "taskhostw.exe Install",
        r"C:\Windows\System32\svchost.exe",
        false,
    ),
    (
        r"C:\Program Files\Office\MAILER.EXE",
        "&quot;MAILER.EXE&quot; /recycle",
        r"C:\Windows\explorer.exe",
        true,
    ),
];
