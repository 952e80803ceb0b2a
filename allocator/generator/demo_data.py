"""The demo sponsor's programs and its network, as it would list them; everyone in it is invented.

Blank-separated columns. A program's pattern is `commercial <batches a quarter> <growth a year>`,
`launch <quarter> <trial batches> <batches at the peak>` or `campaigns <first> <every> <runs>
<batches>`.
"""

#: id, price factor, inspection gate, country, region, owner | name
SITES = """\
ALDER  1.08 passes US North_America Aldermoor_Group    | Aldermoor Pharma Services
BRACK  0.82 passes IN Asia          Brackwater_Limited | Brackwater Solids
CALDE  1.12 passes US North_America Calderis_Group     | Calderis Biologics
DUNVA  1.06 passes IE Europe        Dunvane_Holding    | Dunvane Sterile
ELMSW  1.03 passes DE Europe        Aldermoor_Group    | Elmsworth Formulation
FENLO  1.15 passes CH Europe        Calderis_Group     | Fenlowe Biomanufacturing
GARRO  0.97 passes IT Europe        Garrowby_Family    | Garrowby Injectables
HEXHO  0.80 passes IN Asia          Brackwater_Limited | Hexholm Synthesis
ISENV  1.00 passes ES Europe        Isenvik_Partners   | Isenvik Semisolids
JARNS  0.95 passes KR Asia          Jarnstad_Industries | Jarnstad Bio
KELVA  0.90 fails  US North_America Kelvane_Capital    | Kelvane Fill and Finish
LINDM  1.02 passes ES Europe        Lindmoor_Chemical  | Lindmoor Fine Chemicals
"""

#: CMOs licensed for controlled substances.
LICENSED = ("ALDER", "ELMSW", "ISENV", "LINDM")

#: Lines that take no conjugates, though their technology does.
NO_CONJUGATES = ("DUNVA-V2", "GARRO-V1")

#: id, technology, kind, popularity
LINES = """\
ALDER-T1 tablets   flexible   0.9
ALDER-T2 tablets   commercial 0.5
ALDER-C1 capsules  flexible   0.7
ALDER-L1 liquids   flexible   0.4
BRACK-T1 tablets   commercial 1.0
BRACK-T2 tablets   flexible   0.6
BRACK-C1 capsules  flexible   0.8
BRACK-X1 creams    flexible   0.6
CALDE-B1 biologics flexible   0.9
CALDE-V1 vials     flexible   0.6
DUNVA-V1 vials     flexible   0.9
DUNVA-V2 vials     commercial 0.5
DUNVA-S1 syringes  flexible   0.9
ELMSW-T1 tablets   flexible   0.8
ELMSW-L1 liquids   flexible   0.7
ELMSW-X1 creams    flexible   0.5
FENLO-B1 biologics flexible   0.7
FENLO-V1 vials     flexible   0.5
FENLO-S1 syringes  flexible   0.6
GARRO-V1 vials     flexible   0.8
GARRO-S1 syringes  flexible   0.8
HEXHO-A1 api       commercial 0.9
HEXHO-T1 tablets   flexible   0.7
ISENV-X1 creams    flexible   0.8
ISENV-L1 liquids   flexible   0.6
ISENV-C1 capsules  flexible   0.5
JARNS-B1 biologics flexible   0.9
JARNS-A1 api       flexible   0.6
KELVA-V1 vials     flexible   0.7
KELVA-S1 syringes  flexible   0.6
LINDM-A1 api       flexible   0.8
LINDM-T1 tablets   commercial 0.4
"""

#: id, technology, form, molecule, route, stage, usual batch, containment, schedule, sourcing,
#: pattern | name
PROGRAMS = """\
P01 tablets   tablet                  small_molecule oral commercial 900000 2 -  - commercial 5.0 1.05 | Albridex
P02 tablets   tablet                  small_molecule oral commercial 600000 2 -  dual commercial 3.5 1.10 | Corfalan
P03 tablets   tablet                  small_molecule oral commercial 1100000 1 - - commercial 4.0 0.95 | Domilan
P04 tablets   modified_release_tablet small_molecule oral commercial 400000 3 -  - commercial 3.0 1.03 | Fentavant
P05 tablets   tablet                  small_molecule oral commercial 300000 3 II single commercial 2.0 1.00 | Oxnufin
P06 tablets   modified_release_tablet small_molecule oral phase3     350000 3 -  - launch 5 0.5 3.0 | HY-2206
P07 tablets   tablet                  small_molecule oral phase3     500000 2 -  - launch 7 0.6 3.5 | KA-2307
P08 tablets   tablet                  small_molecule oral phase2     120000 3 -  - campaigns 0 2 4 0.8 | LU-1408
P09 tablets   tablet                  small_molecule oral phase2     90000  4 -  - campaigns 1 3 3 1.0 | ME-1409
P10 tablets   tablet                  small_molecule oral phase1     60000  3 -  - campaigns 2 2 3 0.5 | NO-1110
P11 capsules  capsule                 small_molecule oral commercial 450000 2 -  - commercial 3.0 1.08 | Quisolan
P12 capsules  capsule                 small_molecule oral commercial 300000 3 -  - commercial 2.5 0.90 | Romidex
P13 capsules  capsule                 small_molecule oral phase3     250000 2 -  - launch 6 0.4 2.5 | SA-2313
P14 capsules  capsule                 small_molecule oral phase2     80000  3 -  - campaigns 0 3 3 0.7 | TR-1414
P15 vials     vial                    small_molecule intravenous commercial 40000 3 - - commercial 3.0 1.04 | Ulprazan
P16 vials     lyophilised_vial        peptide        subcutaneous commercial 25000 2 - dual commercial 2.5 1.12 | Vekerex
P17 vials     vial                    mab            intravenous commercial 20000 2 -  - commercial 2.0 1.15 | Wilmivant
P18 vials     lyophilised_vial        adc            intravenous phase3     10000 5 -  - launch 6 0.4 2.0 | XA-2318
P19 vials     vial                    mab            intravenous phase3     18000 2 -  - launch 8 0.5 2.5 | YO-2319
P20 vials     lyophilised_vial        small_molecule intravenous phase2     5000  4 -  - campaigns 0 2 4 0.9 | ZE-1420
P21 vials     vial                    peptide        subcutaneous phase2    6000  2 -  - campaigns 1 2 4 0.8 | AL-1421
P22 vials     vial                    mab            intravenous phase1     4000  2 -  - campaigns 1 3 3 0.5 | BE-1122
P23 syringes  prefilled_syringe       mab            subcutaneous commercial 50000 2 - dual commercial 3.5 1.10 | Cormivant
P24 syringes  prefilled_syringe       peptide        subcutaneous commercial 70000 2 - - commercial 3.0 1.06 | Dasotiv
P25 syringes  prefilled_syringe       vaccine        subcutaneous phase3    40000 2 -  - launch 7 0.4 2.5 | EL-2325
P26 syringes  prefilled_syringe       mab            subcutaneous phase2    12000 2 -  - campaigns 2 3 3 0.8 | FE-1426
P27 biologics drug_substance          mab            intravenous commercial 4.0  2 -  - commercial 1.6 1.12 | Wilmivant bulk
P28 biologics drug_substance          mab            subcutaneous commercial 5.0 2 -  - commercial 1.8 1.08 | Cormivant bulk
P29 biologics drug_substance          mab            intravenous phase3     2.5  2 -  - launch 6 0.4 1.6 | YO-2319 bulk
P30 biologics drug_substance          adc            intravenous phase3     1.2  5 -  - launch 5 0.3 1.0 | XA-2318 bulk
P31 biologics drug_substance          mab            intravenous phase1     0.6  2 -  - campaigns 0 3 3 0.6 | BE-1122 bulk
P32 api       drug_substance          small_molecule oral commercial 120 2 -  free commercial 2.0 1.05 | Albridex substance
P33 api       drug_substance          small_molecule oral phase3     60  3 -  - launch 4 0.4 1.4 | HY-2206 substance
P34 api       drug_substance          peptide        subcutaneous commercial 45 2 - - commercial 1.5 1.06 | Vekerex substance
P35 liquids   oral_solution           small_molecule oral commercial 60000 1 -  - commercial 1.8 0.97 | Ganuprex
P36 liquids   oral_solution           small_molecule oral commercial 35000 2 III single commercial 2.0 1.02 | Ixketiv
P37 liquids   oral_solution           small_molecule oral phase2     5000  2 -  - campaigns 1 3 3 0.7 | GA-1437
P38 creams    cream                   small_molecule topical commercial 60000 1 - - commercial 2.5 1.00 | Joslomor
P39 creams    cream                   small_molecule topical phase3     20000 2 - - launch 6 0.4 2.0 | HO-2339
P40 tablets   tablet                  small_molecule oral preclinical   40000 4 - - campaigns 3 3 2 0.5 | PA-1040
"""  # noqa: E501  one program a line
