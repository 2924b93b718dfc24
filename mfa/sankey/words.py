"""Words that a diagram of a balance adds to the user's names, in English and Japanese."""

TEXT = {
    "en": {
        "per_year": "/yr",
        "subtitle": "{substance}, {unit}, {year}",
        "made": "{file}, balanced with mfa {version}",
        "contradiction": "The data contradict each other: chi-square {chi2:.3g} on {dof} degrees "
        "of freedom, p = {p}.",
        "goods": "gross mass",
    },
    "ja": {
        "per_year": "/年",
        "subtitle": "{substance}、{unit}、{year} 年",
        "made": "{file}、mfa {version} で収支調整",
        "contradiction": "データが互いに矛盾している：カイ二乗 {chi2:.3g}、自由度 {dof}、p = {p}。",
        "goods": "総重量",
    },
}
