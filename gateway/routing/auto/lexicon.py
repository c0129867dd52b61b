"""Words that tell what kind of work is asked for, in eight languages.

Small letters. A word that begins with a stem of five letters or more counts; shorter ones must be the whole word.
Written from the guide of the labelled set (benchmarks/auto/README.md), not from its held-out part.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

PROOF: Final = "words of proof and deduction"
MATHS: Final = "words of mathematics"
PUZZLE: Final = "words of puzzles and games"
PARTS: Final = "words of large pieces of work"
CONCERNS: Final = "matters that must fit together"
EVERYDAY: Final = "words of everyday writing and explaining"
QUICK: Final = "words of quick questions"
TALK: Final = "small talk"
WHY: Final = "words that ask for an explanation"
CODE: Final = "words of programming"

STEMS: Final[Mapping[str, str]] = {
    PROOF: """prove proof disprove derive deriv deduce deduc justif induction contradict counterexample irrational
        rigorous theorem lemma corollar verify invariant conclude necessar sufficient undecidab
        beweis beweise zeige herleit leite folgere begründ induktion widerspruch gegenbeispiel
        démontr prouve montre justifie récurrence déduire absurde
        demuestr demostr prueba justifica inducción contraejemplo
        докаж доказ обоснуй обоснова вывед индукци противореч контрпример
        أثبت برهن البرهان اثبت استنتج""",
    MATHS: """integer prime divisib divisor divide modulo remainder digits polynomial equation inequalit matrix
        eigenvalue determinant integral derivative converge diverge sequence series limit continuous bijection
        finite infinite infinitely graph graphs vertex vertices edges subset sum sums zeros zeroes factorial twice
        subgroup permutation combination probability expected random variance distribution independent uniform dice
        dices coin coins toss tossed rolls cards lattice triangle triangles circle sphere angle ellips polygon radius
        area volume minimi maximi optimal recurrence asymptotic complexity exact solutions
        squares cubes powers irrational rational logarithm sin cos sqrt
        ganze primzahl teilbar gleichung grenzwert wahrscheinlich stetig zahlen nullstell funktion fläche
        entier premier divisible équation limite probabilit continue nombre suite série groupe fonctions
        entero primo divisible ecuación límite probabilidad grafo vértice números área soluciones enteras
        простые простых делится уравнени предел вероятност непрерывн последовательност неравенств чисел целое целого
        احتمال الأعداد عدد الصحيحة المثلث زوايا معادلة قابلا""",
    PUZZLE: """puzzle liar lies truth knight knave weigh weighing hats prisoner guards pirates guess boxes balance
        wins winner fewest shortest smallest least largest greatest minimum maximum strategy player players moves
        clue bridge torch statements seating arrange ways possibilit determine prisoners guarantee puzzles
        lügt wahrheit lügner gewinnt strategie kürzeste größte kleinste verdächtig
        menteur vérité sage chapeau gagne combien mentiroso veraz gana cuántas
        рыцар лжец лжёт правд выигр сколькими""",
    PARTS: """design architect strateg roadmap migrat refactor implement develop redesign restructure moderni analys
        analyz evaluat assess critique critical compare propose proposal comprehens detailed thoroug complete
        framework curriculum protocol specification blueprint platform system pipeline audit review diagnos
        investigat optimis optimiz consolidat draft produce build create construct synthesise port rework devise
        weigh recommend thesis screenplay novel chapters
        entwirf entwickle entwurf konzept strategie erstelle ausführlich analysiere vergleiche implementiere prüfe
        plane gutachten architektur umfassend bewerte
        conçois élabore stratégi rédige dissertation analyse développe compare réécris complète architecture évalue
        diseña elabora estrateg analiza desarrolla redacta evalúa refactoriza propón compara completo completa
        спроектируй разработай стратеги проанализируй сравни подготовь подробн архитектур
        صمم أعد دراسة مفصلة متكامل حلل قارن خطة تحليل""",
    CONCERNS: """risk cost budget timeline milestone rollback failover latency scalab consisten security privacy
        compliance governance stakeholder tradeoff requirement constraint monitoring deploy rollout schema
        tests testing accessib integrat regulat evaluation audiences objectives scenario dependenc concurrency
        persistence encryption audit phases phased metrics interfaces modules components pricing assumptions
        staffing downtime backup alerting measurement revenue competition alternatives objections priorit steps
        layers
        datenmodell datenschutz risiken kosten zeitplan phasen teststrategie förderung anbindung
        risques budget calendrier indicateurs financement choix réplication validation
        riesgos costes costos plazos presupuesto fases objetivos impuestos escenarios pruebas
        риски бюджет безопасност интеграци отказоустойчив критери внедрени тест
        المخاطر التمويل نموذج البيانات مراحل تنفيذ سيناريوهات""",
    EVERYDAY: """write explain summar describe recipe recipes email letter poem story tips ideas advice suggest
        outline draft make difference caption speech reply message paragraph overview introduc example essay posts
        description announc function script query formula newsletter pros cons quiz itinerary haiku limerick sonnet
        toast friendly polite short
        schreib erklär fasse rezept gedicht unterschied formulier vorteile brief zusammenfass funktioniert
        écris explique recette résume différence propose courriel annonce fonctionne
        escribe explica receta resumen diferencia cuento correo haz
        напиши объясни рецепт кратко перескажи письмо отличается составь
        اكتب اشرح وصفة رسالة الفرق أعطني""",
    QUICK: """translat spell synonym antonym opposite plural capital convert abbreviat acronym pronounc correct typo
        classify extract shorten mean means stand replace remove capitalise lowercase uppercase rhyme round
        sentiment
        detect language currency name tall boiling atomic shortcut extension keyword called
        übersetz hauptstadt gegenteil heißt schreibt einwohner wann richtig welche prozent
        traduis traduc capitale combien corrige féminin synonyme quelle quel année traduire
        traduce capital cuántos cuál corrige convierte quién dice
        столица переведи сколько антоним синоним какая какой правильно
        ترجم عاصمة كم من""",
    TALK: """hello hallo thanks thank bonjour merci hola gracias привет спасибо danke مرحبا شكرا""",
    WHY: """how why works work happens should difference differ prepare basics pros cons between tips advice compare
        wie warum wieso weshalb funktioniert vorteile nachteile unterschied richte bereite
        pourquoi comment différence fonctionne cómo porqué diferencia preparo funciona
        как почему работает отличается كيف لماذا الفرق""",
    CODE: """python javascript typescript java rust golang sql regex bash html react docker kubernetes function
        class
        code api database git json yaml script compile bug error exception postgres redis algorithm loop array""",
}

# Japanese and Chinese don't part their words.
PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    PROOF: ("证明", "推理", "推导", "反例", "为什么", "说明理由", "写出", "証明", "帰納法", "導", "理由も"),
    MATHS: (
        "概率", "整数", "素数", "数列", "函数", "极限", "最大值", "最小", "整除", "无理数", "求所有", "正整数",
        "確率", "期待値", "自然数", "倍数", "何通り", "何個", "求めよ", "関数 f", "三角形", "無理数",
    ),
    PUZZLE: ("说谎", "真话", "哪些", "只有一人", "嘘つき", "正直", "円卓", "並べ", "特定の"),
    PARTS: (
        "设计", "方案", "制定", "审查", "比较", "论述", "实现一个", "报告", "排查", "系统", "规划", "分布式", "架构",
        "設計", "計画", "作成", "比較", "検討", "提言", "実装", "移行", "短編", "分析", "システム",
    ),
    CONCERNS: (
        "风险", "预算", "缓存", "容灾", "数据模型", "取舍", "指标", "监控", "测试", "利弊",
        "建议和理由", "优化", "阶段",
        "リスク", "費用", "見積", "障害", "テスト", "暗号", "反論", "根拠", "優先順位", "データモデル",
    ),
    EVERYDAY: (
        "写一", "帮我写", "解释", "介绍", "怎么做", "步骤", "区别", "建议", "总结", "整理", "邮件", "散文",
        "書いて", "説明して", "作り方", "違い", "プラン", "教えて", "メール", "要約", "考えて",
    ),
    QUICK: (
        "翻译", "是什么意思", "是哪里", "是谁", "等于多少", "多少", "正面还是负面", "找出来", "有多",
        "訳して", "読み方", "何メートル", "何キロ", "作者は", "直して", "選んで", "誰",
    ),
    WHY: ("为什么", "怎么", "如何", "区别", "解释", "違い", "仕組み", "なぜ", "方法"),
    TALK: ("你好", "谢谢", "こんにちは", "ありがとう"),
    CODE: ("Python", "SQL", "代码", "Go", "コード"),
}  # fmt: skip

SHORTEST: Final = 5
LONGEST: Final = 9


def by_word() -> dict[str, tuple[str, ...]]:
    """What each stem, cut to nine letters, is a sign of."""
    found: dict[str, tuple[str, ...]] = {}
    for concept, stems in STEMS.items():
        for stem in stems.split():
            key = stem[:LONGEST]
            if concept not in found.get(key, ()):
                found[key] = (*found.get(key, ()), concept)
    return found


SIGNS: Final[Mapping[str, tuple[str, ...]]] = by_word()


@lru_cache(maxsize=8_192)
def concepts_of(word: str) -> tuple[str, ...]:
    """What a word, in small letters and cut to nine, is a sign of, by the longest stem that it begins with."""
    found = SIGNS.get(word)
    size = len(word) - 1
    while found is None and size >= SHORTEST:
        found = SIGNS.get(word[:size])
        size -= 1
    return found or ()
