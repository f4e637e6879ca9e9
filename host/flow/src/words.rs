//! Words that stand in everyone's texts: what [`crate::rarity`] calls common. Written by hand for this program: plain English, the words of
//! programs, files, protocols, places and given names. Order has no meaning; upper case is folded.

pub(crate) const WORDS: &str = "
a an and are as at be been but by can did do does for from get got had has have he her here him his how i if in into is it its just like made make many may me more most
much must my new no not now of off on one only or other our out over own same say see she should so some such than that the their them then there these they thing this
those through to too under up us use very was way we well were what when where which while who why will with would you your yes yet about above across after again against
all almost alone along already also although always am among another any anyone anything around away back became because become before began behind being below between both
brought came cannot come comes could day days done down each early either else end enough even ever every everyone everything example far few find first five found four full
gave general give given go goes going gone good great half hand help high himself hold home hour hours however idea important inside instead itself keep kind knew know known
large last late later least left less let life line list little live long look low main man matter mean means men might mind minute minutes moment month months morning mother
move name near need never next night nobody nothing number often old once open order part past people perhaps person place point possible present problem public put question
quick quickly quite ran rather reach read ready real really right room said saw school second seconds seem seen send sent set several show side since single six small
something sometimes soon special start state still stop story sure system take taken talk tell ten test text thank thanks think third though thought thousand three time times
today together told tomorrow took toward true try turn two under understand until upon used useful using usual value want water week weeks went whether white whole within
without woman women word words work world write written wrong year years yesterday young quick brown fox jumps lazy dog hello please sorry welcome nice great best better bad big black
blue red green yellow orange pink purple gray grey white dark light bright cold warm hot cool dry wet rain rainy snow sun sunny cloud cloudy wind windy storm weather forecast temperature
degrees humidity summary report morning evening afternoon night monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december spring summer autumn winter city country street road house home office school company business market price cost money pay paid buy sell sale account bank credit
card customer client order product service support team member user users person people family friend child children mother father brother sister son daughter love letter mail email phone
address number note notes meeting meetings agenda project plan plans task tasks todo list item items title subject message messages body content contents page pages chapter section
paragraph sentence book books author reader library story history science art music film movie game games play player sport food bread milk butter eggs cheese fruit apple coffee tea water wine
beer meat fish rice soup salt sugar oil dinner lunch breakfast kitchen recipe garden tree flower river lake sea ocean mountain island north south east west left right top bottom front back
middle center centre start begin beginning end finish stop continue wait pause run running walk drive travel trip train bus car plane ship ticket hotel beach map
file files folder folders directory directories path paths name names type types kind size length width height depth color colour date time timestamp created updated modified deleted
removed added changed change changes version versions release build debug info information warning warnings error errors failed failure fail fails success successful succeeded ok okay
done pending status state code codes message reason detail details description cause result results return returns returned value values key keys secret secrets token tokens password
passwd username user login logout auth authentication authorization bearer basic session cookie cookies api app apps application applications program programs process processes thread
service services server servers client clients host hosts hostname port ports network internet web site website url uri link links http https html css json xml yaml toml csv txt md
markdown text plain image images png jpeg jpg gif svg pdf audio video media data database table tables row rows column columns field fields record records index query queries select insert
update delete create read write open close closed save load import export include input output stdin stdout stderr stream buffer byte bytes bit bits string strings integer int float double
boolean bool true false null none nil undefined nan object objects array arrays map set tuple enum struct class classes method methods function functions fn func def var let const static final
public private protected package module modules library libs lib bin usr etc var tmp opt home root dev proc sys run mnt srv media sbin share local include src source sources sink sinks test
tests testing docs doc readme license makefile config configuration settings option options default defaults parameter parameters param params argument arguments args arg flag flags
env environment variable variables shell bash zsh sh fish terminal console command commands line lines lang language locale utf ascii latin unicode encoding charset en us gb de fr
es it pt nl ja zh ko ru pl posix utc gmt cet est pst zone timezone linux windows macos darwin unix android ios ubuntu debian fedora alpine docker container kubernetes cloud aws azure google
microsoft apple amazon github gitlab git npm node deno bun yarn cargo rust python java javascript typescript ruby go golang php perl swift kotlin scala haskell lua sql sqlite postgres
postgresql mysql mongodb redis nginx apache curl wget mozilla firefox chrome chromium safari edge webkit gecko agent accept encoding cache control content disposition origin referer
connection keep alive transfer chunked gzip deflate br identity host location set max age expires etag modified match none range ranges vary server date allow headers credentials expose
forwarded proto proxy upgrade insecure requests request response requests responses header body method get post put patch delete head options trace connect status found moved
permanently temporary bad unauthorized forbidden allowed acceptable timeout conflict gone internal unavailable gateway exception traceback recent call stack trace panicked unwrap
permission permissions denied granted allowed access such exist exists missing invalid valid expected unexpected unknown unsupported required optional empty not found null pointer overflow
memory limit limits disk space free used total count number sum average mean median min max minimum maximum percent rate speed latency duration elapsed milliseconds microseconds
localhost example com org net io dev edu gov co uk www api v index html main master origin branch commit merge push pull request issue issues bug feature fix fixed refactor
admin administrator guest anonymous nobody daemon operator system backup games mail news www lp sync shutdown halt sudo wheel staff adm
john jane mary james robert michael david william richard joseph thomas charles peter paul mark george anna emma lisa sarah laura susan karen linda patricia alice bob carol dave eve
frank grace henry jack kate lucy mike nick oliver sam tom smith jones brown williams johnson miller davis wilson moore taylor anderson jackson martin lee white harris clark lewis walker
hall allen king wright scott green baker adams nelson hill campbell mitchell roberts carter phillips evans turner parker collins edwards stewart morris bern zurich geneva basel london
paris berlin madrid rome vienna amsterdam brussels york boston chicago angeles francisco seattle tokyo beijing delhi sydney switzerland germany france italy spain england america american english
german french europe european china japan india africa asia
schema properties property items additional pattern format enum const required title description definitions ref anyof oneof allof nullable deprecated examples
jsonrpc id method params result structured content is error tool tools resource resources prompt prompts role system assistant user function arguments model temperature stream
begin certificate rsa key sha md hash digest signature encrypted encryption cipher algorithm verify verified
lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco
laboris nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse cillum fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt culpa
qui officia deserunt mollit anim est laborum
able accept accepted according account action actions active activity actual actually address affect age ago agree air allow almost amount analysis answer appear apply approach area argue
arm arrive article ask assume attack attention available avoid base based basic basis beautiful believe benefit blood board bring budget care carry case catch cause cell central century
certain certainly chance character charge check choice choose claim clear clearly college common community compare computer concern condition conference consider contain control cost
couple course court cover crime culture cup current cut deal death debate decade decide decision deep defense degree democratic describe design despite determine develop development die
difference different difficult direction discover discuss discussion disease door draw dream drop drug during easily easy eat economic economy education effect effort eight election
employee energy enjoy enter entire environmental especially establish event evidence exactly executive experience expert explain eye face fact factor fall fast fear federal feel feeling
field fight figure fill financial fire firm floor fly focus follow following force foreign forget form former forward friend future garden gas girl glass goal government ground group grow
growth guess gun guy hair happen happy hard health hear heart heat heavy herself hit hospital hundred husband image imagine impact improve including increase indeed indicate individual
industry institution interest interesting international interview investment involve job join key kid kill land late laugh law lawyer lay lead leader learn leave leg legal level lie likely
listen local lose loss lot machine magazine maintain major majority manage management manager marriage material measure medical meet mention method military million miss mission modern mouth
movement nation national natural nature nearly necessary network news newspaper nine nor offer officer official opportunity option organization others outside owner pain painting paper
parent participant particular particularly partner party pass patient pattern peace perform performance period personal physical pick picture piece policy political politics poor popular
population position positive power practice prepare president pressure pretty prevent probably produce production professional professor property protect prove provide purpose quality race
radio raise recent recently recognize reduce reflect region relate relationship religious remain remember remove represent require research resource respond response responsibility rest
reveal rich rise risk rock role rule safe scene scientist score season seat section security seek senior sense series serious serve seven sexual shake shoot short shot shoulder sign
significant similar simple simply sing sister site situation skill skin social society soldier son song sort sound specific spend staff stage stand standard statement station stay step
strategy strong structure student study stuff style success suddenly suffer suggest surface teach teacher technology television tend term theory threat throughout throw thus total tough town
trade traditional training treat treatment trial trouble truth unit usually various victim view violence visit voice vote wall war watch weapon wear weight whatever whose wide wife win
window wish wonder worker worry yard yourself
abort accepting acknowledge adapter add address alias align alive allocate analyzer annotation append archive assert async attach attribute await backend background backup batch benchmark
binary bind block blob boot bound boundary browser bundle cached callback cancel cancelled capacity capability catalog channel char check checksum child chunk clean clear click clone cluster
collection comma comment compile compiler complete component compress compute concat concurrent condition configure confirm console constant constraint construct consume context
convert copy core counter cpu crash cron current cursor custom daily dashboard deadline deadlock declare decode decoder decompress dependency dependencies deploy deployment destination detect
device diff dispatch display document domain download drain driver dump duplicate dynamic echo editor element embed emit enable enabled disable disabled encode encoder endpoint engine
entity entry escape evaluate eventually exact exclude exec execute execution exit expand expire expired expression extend extension extract factory fallback fatal fetch filter
finalize finished firewall fixture flush font footer fork frame framework frontend gateway generate generated generator generic global graph grant group guard handle handler hardware hash header
heap helper hidden hook horizontal icon identifier idle ignore image immutable implement implementation import improve init initial initialize initialized inject inline inner input inspect install
installed instance integration interface interval invoke isolate iterator job join journal kernel keyword label lambda layer layout lazy leaf legacy length lexer listen listener literal
loader lock log logger logging logs lookup loop lower macro mailbox manifest manual mapping marker mask matcher merge meta metadata metric metrics middleware migrate migration mime mirror
mock mode monitor mount mutable mutex namespace native navigate nested node normal normalize notification notify null nullable numeric observe offline offset online operation operator optimize outer
owner pack packet padding panel parallel parent parse parser partial patch payload peer pending persist pipe pipeline pixel placeholder platform plugin pool pop popup prefix preview primary
print priority profile progress promise promote proxy publish purge push queue quota quote random raw rebuild receive recent record recover recursive redirect reference refresh regex region
register registry reject relation reload remote rename render repeat replace replica repo repository reset resize resolve resolver restart restore retry reverse revert revision rollback root
rotate route router routing row runtime sample sandbox scale scan schedule scheduler scope screen script scroll search segment sequence serial serialize setup shared signal simple skip
slice slot snapshot socket sort spawn spec split stable stack stage staging standard startup stats storage store strict submit subnet subscribe suffix suite suspend switch symbol sync
syntax tag tags target template temporary tenant terminate theme threshold throttle timer toggle tooltip topic trace track traffic transaction transform translate transport traverse tree trigger trim
truncate trust undo union unique unit unlock unpack unsafe upload upper upstream uptime usage utility valid validate validation validator vector vendor verbose vertical viewer virtual volume
wake warn watch widget wildcard window workflow workspace wrapper yield zip
abstract alt alternative arc argc argv athens atlanta auckland austin backlog backoff bandwidth bangalore bangkok banner bogota bookworm borrow broadcast btreemap bucket budapest bullseye
button cairo camelcase cascade changelog checksums cidr ciphers classname closure clusters colspan containerport copenhagen crate crawl curve dallas dbname decimal decorator dedupe
deliverable denver depends disallow distroless div dubai dublin dyn egress embedding embeddings endpoints erasedups extern failover farewell favicon fieldset florence focal frankfurt
frontier gateways generics gigabyte goodbye gradient grayscale greeting greetings hanoi hashmap hashset healthcheck helsinki hexadecimal hostmaster houston href idempotent ignoreboth
ignoredups impl inference ingress inheritance interop iowa ireland istanbul iterable jakarta jammy johannesburg kanban keepalive keystore kilobyte kustomize kyoto labels lagos lausanne
legend lifetime lima lisbon livenessprobe loopback lowercase malloc manila matchlabels megabyte melbourne miami milan milestone mod models montreal motd multicast multipart mumbai nairobi
namespaces nanoseconds netmask noble noreply octal ohio onchange onclick oregon osaka oslo outdir override palette philadelphia phoenix polymorphism porto postmaster prague printable printf
procedure pub queues quoted readinessprobe readonly references reflection replicas resolvers retro retryable reykjavik riyadh roadmap robots rotterdam rowspan runner runners rwlock santiago
savepoint selector self seoul shanghai shard shards shenzhen sitemap sizeof slim span sprint stakeholder standup stdio stdlib stockholm stopped super taipei targetport tbody textarea thead
throughput timestamptz tokenizer toronto trait truststore typedef unicast unless uppercase upsert useeffect usestate vacuum vancouver varchar vec venice viewport virginia volumes wanted
warsaw washington webhook webhooks webmaster workflows
";

/// Values that everybody has, in lower case: never a finding on their own, whatever the model says.
pub(crate) const VALUES: [&str; 78] = [
    "true",
    "false",
    "null",
    "none",
    "nil",
    "yes",
    "no",
    "on",
    "off",
    "utc",
    "gmt",
    "root",
    "user",
    "admin",
    "bash",
    "/bin/bash",
    "/bin/sh",
    "/usr/bin",
    "/usr/bin/bash",
    "/usr/local/bin",
    "/root",
    "/home",
    "/tmp",
    "en_us.utf-8",
    "en_gb.utf-8",
    "c.utf-8",
    "c",
    "posix",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "::1",
    "xterm",
    "xterm-256color",
    "screen",
    "screen-256color",
    "tmux-256color",
    "linux",
    "dumb",
    "vim",
    "nano",
    "less",
    "production",
    "development",
    "application/json",
    "text/plain",
    "keep-alive",
    "no-cache",
    "no-store",
    "no-referrer",
    "same-origin",
    "read-only",
    "read-write",
    "write-only",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-central-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-northeast-1",
    "iso-8859-1",
    "us-ascii",
    "index.html",
    "package.json",
    "readme.md",
    "cargo.toml",
    "node_modules",
    "linux-gnu",
    "pre-production",
    "log-level",
    "user-agent",
    "not-found",
    "set-cookie",
    "hello-world",
];
