/* SPDX-License-Identifier: Apache-2.0 */
/* How pages look: light, dark, on paper, on a phone. Colours of series are Okabe and Ito's, darker
 * on white and lighter on black. */
#ifndef LAB_PAGE_STYLE_H
#define LAB_PAGE_STYLE_H

/* In pieces; NULL ends them. */
extern const char *const page_style[];

#endif
